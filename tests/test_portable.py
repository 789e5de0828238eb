"""What Windows and macOS do otherwise than Linux, looked for in the source of the stages: nothing here runs there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.helpers.tiny import ROOT
from tests.test_house import sources

POSIX_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
POSIX_NAMES = {
    *("os.fork", "os.getuid", "os.geteuid", "os.killpg", "os.setsid", "os.uname", "os.sysconf", "os.sched_getaffinity"),
    *("signal.SIGKILL", "signal.SIGHUP", "signal.SIGUSR1", "signal.SIGALRM", "signal.alarm", "signal.pause"),
}
COMPRESSED = {"gzip", "lzma", "bz2"}  # their ``open`` has the mode in second place and is binary by default


def nodes() -> Iterator[tuple[str, ast.AST, bool]]:
    """All that a user runs (study and benchmarks are for Linux): file, node, and whether it stands in an if or try."""
    for path in sources():
        name = path.relative_to(ROOT)
        if not {"study", "benchmarks"} & set(name.parts):
            yield from ((str(name), *found) for found in below(ast.parse(path.read_text(encoding="utf-8")), False))


def below(node: ast.AST, guarded: bool) -> Iterator[tuple[ast.AST, bool]]:
    guarded |= isinstance(node, ast.If | ast.IfExp | ast.Try)
    for child in ast.iter_child_nodes(node):
        yield child, guarded
        yield from below(child, guarded)


def is_text_without_encoding(call: ast.Call) -> bool:
    of, _, name = ast.unparse(call.func).rpartition(".")
    if name not in ("open", "read_text", "write_text") or of in ("atomic", "os", "self"):
        return False
    if any(word.arg == "encoding" for word in call.keywords) or (name != "open" and not of):
        return False
    place = 1 if of in COMPRESSED or not of else 0
    modes = [word.value for word in call.keywords if word.arg == "mode"] or call.args[place : place + 1]
    mode = ast.unparse(modes[0]) if modes else "rb" if of in COMPRESSED else "r"
    return name != "open" or "b" not in mode


def test_text_is_utf8_everywhere():
    """The default is the locale's encoding: a Chinese code page, Latin 1, or ASCII."""
    calls = [(name, node) for name, node, _ in nodes() if isinstance(node, ast.Call)]
    assert len(calls) > 2000
    assert not [f"{name}: {ast.unparse(call)}" for name, call in calls if is_text_without_encoding(call)]


def test_nothing_is_renamed_onto_what_may_be_there():
    """``rename`` fails on Windows where the target exists; ``replace`` does not."""
    named = [(name, ast.unparse(node)) for name, node, _ in nodes() if isinstance(node, ast.Attribute)]
    assert [name for name, code in named if code.endswith(".replace")]
    assert not [f"{name}: {code}" for name, code in named if code.endswith((".rename", ".link_to", ".hardlink_to"))]


def test_what_only_posix_has_is_asked_for_first():
    at_once = [(name, node) for name, node, guarded in nodes() if not guarded]
    imports = {
        f"{name}: {alias.name}" for name, node in at_once if isinstance(node, ast.Import) for alias in node.names
    }
    assert not [line for line in imports if line.split(": ")[1] in POSIX_MODULES]
    used = {f"{name}: {ast.unparse(node)}" for name, node in at_once if isinstance(node, ast.Attribute)}
    assert not [line for line in used if line.split(": ")[1] in POSIX_NAMES]
