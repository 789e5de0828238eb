"""Marks that stand in a text between the steps of cleaning: non-characters of Unicode, which no text may hold."""

from __future__ import annotations

import re

MARKS = re.compile("[\ufdd0-\ufdef]")  # taken out of a page before anything else

GONE = "\ufdd0"  # something stood here and left no text
BREAK = "\ufdd1"  # a line ends here, whatever the lines of the source
_SHIELD_FIRST = 0xFDD2
_SHIELDED = "'<>[]{}|*#:;=-_&~ \n"
SHIELD = {ord(mark): chr(_SHIELD_FIRST + place) for place, mark in enumerate(_SHIELDED)}  # mark-up that is text here
UNSHIELD = {ord(shield): chr(mark) for mark, shield in SHIELD.items()}
SHIELDED_COLON = SHIELD[ord(":")]
