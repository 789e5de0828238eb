"""Checkpoints: what a training run leaves on disk, and how it is found and trusted again.

``step_<N>.pth``   weights after step N: {format, step, shape, seed, dataset, model}
``state_<N>.pth``  everything a resumed run needs; the newest two are kept
Beside each stands ``<name>.json`` with the file's SHA-256. The sidecar is written after the file, so a file whose
sidecar is missing or differs was cut short and is not trusted. Files are always loaded with ``weights_only=True``.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from pathlib import Path
from typing import Any

import torch

from pipeline.files import atomic
from pipeline.files.checkpoint_names import STATES_KEPT, numbered
from pipeline.stage import InputError

FORMAT = 2


def save(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` (tensors and plain values) to ``path``, then its sidecar."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **content}, buffer)
    data = buffer.getvalue()
    atomic.write_bytes(path, data)
    sidecar = {"file": path.name, "sha256": hashlib.sha256(data).hexdigest(), "step": content["step"]}
    atomic.write_json(_sidecar(path), sidecar)


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint whose SHA-256 matches its sidecar.

    Raises:
        InputError: the file or its sidecar is missing, they do not match, or the format is another.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: not there; a checkpoint is a .pth file and its .json sidecar") from None
    if recorded_digest(path) != hashlib.sha256(data).hexdigest():
        raise InputError(f"{path}: does not match the SHA-256 in its sidecar; remove both and use another checkpoint")
    try:
        content = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError):
        raise InputError(f"{path}: is not a checkpoint that weights_only loading accepts; use another") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: not a checkpoint of format {FORMAT}; use the version of this program that wrote it")
    return content


def recorded_digest(path: Path) -> str | None:
    """The SHA-256 that the sidecar of ``path`` records; the file itself is not read.

    Raises:
        InputError: the sidecar is missing or broken.
    """
    try:
        sidecar = json.loads(_sidecar(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{_sidecar(path)}: not there; a checkpoint is a .pth file and its .json sidecar") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(f"{_sidecar(path)}: is broken JSON; the checkpoint beside it cannot be trusted") from None
    return sidecar.get("sha256") if isinstance(sidecar, dict) else None


def save_state(folder: Path, content: dict[str, Any]) -> None:
    """Write ``state_<step>.pth`` and remove all older states but one."""
    save(folder / f"state_{content['step']}.pth", content)
    for _, path in numbered(folder, "state")[:-STATES_KEPT]:
        _remove(path)


def newest_state(folder: Path) -> Path | None:
    """Where the newest state is, whole or not, or None where there is none."""
    states = numbered(folder, "state")
    return states[-1][1] if states else None


def load_newest_state(folder: Path) -> dict[str, Any] | None:
    """The newest state that is whole, on the CPU, or None where there is none."""
    for _, path in reversed(numbered(folder, "state")):
        try:
            return load(path)
        except InputError as error:
            print(f"passing over {path.name}: {error}")
    return None


def weight_files(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of the weight checkpoints in ``folder``, by step."""
    return numbered(folder, "step")


def rotate(folder: Path, keep: int) -> None:
    """Keep only the newest ``keep`` weight checkpoints."""
    for _, path in weight_files(folder)[:-keep]:
        _remove(path)


def clear(folder: Path) -> None:
    """Remove every checkpoint in ``folder``."""
    for kind in ("step", "state"):
        for _, path in numbered(folder, kind):
            _remove(path)


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _remove(path: Path) -> None:
    """Remove the sidecar first: a file without one is not trusted."""
    _sidecar(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
