"""What the links of a page show: most their text, those to files, categories and other languages nothing.

A link to another language is one whose title begins with a code that MediaWiki knows (``languages.txt``); a title that
merely looks like it (``Re:从零开始``, ``GTA: 罪恶都市``) and other prefixes (``voy:``, ``doi:``) are shown.
"""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import unquote

from pipeline.characters.script_folding import folded
from pipeline.collect.wikitext.languages import languages

# Names of the namespaces in MediaWiki 1.39's MessagesEn, MessagesZh_hans and _hant, and zh.wikipedia.org's short ones.
_FILES = {"file", "image", "f", "文件", "档案", "图像", "图片", "影像"}
_CATEGORIES = {"category", "cat", "分类"}
_UNSEEN = frozenset(_FILES | _CATEGORIES)

# Unicode's Zs, which end an address. A link is [address text]; its text ends at the first closing bracket.
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
# MediaWiki 1.39's default for $wgUrlProtocols.
_SCHEMES = """
bitcoin: ftp:// ftps:// geo: git:// gopher:// http:// https:// irc:// ircs:// magnet: mailto: matrix: mms:// news:
nntp:// redis:// sftp:// sip: sips: sms: ssh:// svn:// tel: telnet:// urn: worldwind:// xmpp: //
"""
_EXTERNAL = re.compile(
    rf"\[(?:{'|'.join(_SCHEMES.split())})[^\[\]<>\"\x00-\x20\x7f{_SPACES}]+[ \t{_SPACES}]*([^\]]*)\]",
    re.IGNORECASE,
)


def is_unseen(target: str) -> bool:
    """Whether ``[[target]]`` shows nothing, with or without a text."""
    prefix, colon, _ = target.partition(":")
    if not colon or len(prefix) > 40:
        return False
    name = prefix.strip(" \t\n_").lower()
    return name in languages() or folded(name) in _UNSEEN


def target_text(target: str) -> str:
    """What a link without a text of its own shows."""
    if "%" in target:
        with suppress(UnicodeDecodeError):  # a percent sign that stands for itself
            target = unquote(target, errors="strict")
    return target.strip().removeprefix(":")


def external_links_as_text(line: str, without_text: str, colon: str = ":") -> str:
    """``line`` with each ``[http://… text]`` made its text, or ``without_text`` where it has none.

    ``colon`` stands for each colon in such a text.
    """
    end = line.rfind("]") + 1  # what follows cannot be closed, and need not be tried again and again
    return _EXTERNAL.sub(lambda link: link[1].strip().replace(":", colon) or without_text, line[:end]) + line[end:]
