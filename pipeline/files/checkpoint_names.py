"""The names of checkpoint files, for those who only count and weigh them: no torch is imported.

``step_<N>.pth`` holds the weights after step N, ``state_<N>.pth`` everything that resuming needs. Either is whole
only with its sidecar ``<name>.json``; pipeline/files/checkpoint.py writes and reads them.
"""

from __future__ import annotations

import re
from pathlib import Path

STATES_KEPT = 2


def numbered(folder: Path, kind: str) -> list[tuple[int, Path]]:
    """(N, path) of the files ``<kind>_<N>.pth`` in ``folder``, by N; ``kind`` is "step" or "state"."""
    pattern = re.compile(rf"{kind}_(\d+)\.pth")
    found = [(pattern.fullmatch(path.name), path) for path in folder.glob(f"{kind}_*.pth")]
    return sorted((int(match[1]), path) for match, path in found if match)
