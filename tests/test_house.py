"""The rules of the house that no linter knows: who may import a script, and how large a file and a room may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.tiny import ROOT

SCRIPTS = {path.stem for path in ROOT.glob("*.py")}
PACKAGES = ("pipeline", "study", "benchmarks")
LONGEST_FILE = 350  # lines
LARGEST_ROOM = 14  # files, __init__.py not counted
MOST_UNTYPED_OBJECTS = 90  # dict[str, Any]: at the borders to JSON only


def sources() -> Iterator[Path]:
    yield from ROOT.glob("*.py")
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def imported(path: Path) -> set[str]:
    """The first names of all modules that ``path`` imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_no_package_imports_a_script() -> None:
    assert len(SCRIPTS) >= 8
    found = {str(path.relative_to(ROOT)): imported(path) & SCRIPTS for path in sources() if path.parent != ROOT}
    assert not {path: names for path, names in found.items() if names}


def test_no_file_is_longer_than_one_idea() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert len(lengths) > 100
    long = {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > LONGEST_FILE}
    assert not long


def test_no_room_holds_too_many_files() -> None:
    rooms: dict[Path, int] = {}
    for path in sources():
        if path.name != "__init__.py" and path.parent != ROOT:
            rooms[path.parent] = rooms.get(path.parent, 0) + 1
    assert len(rooms) > 15
    assert not {str(room.relative_to(ROOT)): count for room, count in rooms.items() if count > LARGEST_ROOM}


def test_objects_are_typed_inside_the_house() -> None:
    assert sum(path.read_text(encoding="utf-8").count("dict[str, Any]") for path in sources()) <= MOST_UNTYPED_OBJECTS
