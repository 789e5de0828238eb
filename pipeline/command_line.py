"""The command line of a script: its help fits 80 columns and says first what the script does and how it is run."""

from __future__ import annotations

import argparse
import re
import shutil
from typing import Any

from pipeline.formatting import columns_of

WIDEST = 80  # columns of a help page; fewer on a narrower terminal
NARROWEST = 40
INDENT = "    "  # of a command
COMMENT = re.compile(r"\s+# ")


class StageParser(argparse.ArgumentParser):
    """A parser with a short usage line, and the script's docstring, examples and all, before the options."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings.setdefault("formatter_class", Page)
        super().__init__(*arguments, **settings)

    def format_usage(self) -> str:
        self.usage = self._short_usage()
        return super().format_usage()

    def format_help(self) -> str:
        self.usage = self._short_usage()
        return super().format_help()

    def _short_usage(self) -> str:
        """Positional and required arguments; the options are listed below."""
        parts = [self.prog.replace("%", "%%")]
        optional = False
        for action in self._actions:
            if not action.option_strings:
                parts.append(_wanted(action))
            elif action.required:
                parts.append(f"{action.option_strings[-1]} {_wanted(action)}")
            else:
                optional = True
        return " ".join([*parts, *(["[options]"] if optional else [])])


class Page(argparse.HelpFormatter):
    """A help page: paragraphs are filled, commands stay lines of their own."""

    def __init__(self, prog: str, **settings: Any) -> None:
        columns = max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
        super().__init__(prog, **{"max_help_position": 26, "width": columns - 1, **settings})

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _filled(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = re.split(r"\n[ ]*\n", text.replace("``", "`").strip("\n"))
        return "\n\n".join("\n".join(_block(block.splitlines(), width - len(indent), indent)) for block in blocks)


def _wanted(action: argparse.Action) -> str:
    """What an argument asks for, as in a usage line."""
    name = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    shown = name if isinstance(name, str) else " ".join(name)
    return {"?": f"[{shown}]", "*": f"[{shown} ...]", "+": f"{shown} [{shown} ...]"}.get(str(action.nargs), shown)


def _block(lines: list[str], width: int, indent: str) -> list[str]:
    """A paragraph filled to ``width``, or the lines of a block of commands or of a list."""
    if all(line.startswith(INDENT) for line in lines):
        return [indent + line for line in _commands(lines, width)]
    head = next((place for place, line in enumerate(lines) if line.startswith("  ")), len(lines))
    filled = _filled(" ".join(lines[:head]), width) if head else []
    return [indent + line for line in [*filled, *_listed(lines[head:], width)]]


def _filled(text: str, width: int, first: str = "", further: str = "") -> list[str]:
    """``text`` in lines of at most ``width`` columns; what the first and the further ones begin with."""
    lines, begun = [first], False
    for word in text.split():
        if begun and columns_of(lines[-1]) + 1 + columns_of(word) > width:
            lines.append(further)
            begun = False
        lines[-1] += f" {word}" if begun else word
        begun = True
    return lines


def _listed(lines: list[str], width: int) -> list[str]:
    """``  name   what it is`` a line: what is too long goes on below its beginning."""
    shown = []
    for line in lines:
        found = re.match(r"(\s+\S+\s+)", line)
        name = found[1] if found else "  "
        shown += _filled(line[len(name) :], width, name, " " * len(name))
    return shown


def _commands(lines: list[str], width: int) -> list[str]:
    """Commands as they are typed, each with its comment beside it where all fit so, else in the line above it."""
    whole: list[str] = []
    for line in lines:
        if whole and whole[-1].endswith("\\"):
            whole[-1] = f"{whole[-1][:-1].rstrip()} {line.strip()}"
        else:
            whole.append(line.strip())
    parted = [(command.strip(), comment) for command, _, comment in (_parted(line) for line in whole)]
    edge = max((len(command) for command, comment in parted if comment), default=0) + 2
    beside = all(len(INDENT) + edge + 2 + len(comment) <= width for _, comment in parted if comment)
    shown = []
    for command, comment in parted:
        if comment and beside:
            shown.append(f"{INDENT}{command:<{edge}}# {comment}")
            continue
        if comment:
            shown += _filled(comment, width, f"{INDENT}# ", f"{INDENT}# ")
        shown += _broken(command, width)
    return shown


def _parted(line: str) -> tuple[str, str, str]:
    found = COMMENT.search(line)
    return (line[: found.start()], "#", line[found.end() :]) if found else (line, "", "")


def _broken(command: str, width: int) -> list[str]:
    """A command, gone on in further lines where it is longer than ``width``; an option keeps its values if it can."""
    if len(INDENT) + len(command) <= width:
        return [INDENT + command]
    parts = re.split(r" (?=-)", command)
    pieces = [piece for part in parts for piece in ([part] if len(part) + 10 <= width else part.split(" "))]
    lines = [INDENT + pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + 1 + len(piece) + 2 <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(2 * INDENT + piece)
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]
