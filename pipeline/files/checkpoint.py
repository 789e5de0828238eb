"""Checkpoints: what a training run leaves on disk, and how it is found and trusted again.

``step_<N>.pth``   weights after step N and what they are of, the keys of ``WEIGHTS``: ``shape`` builds the model,
                   ``dataset`` is the fingerprint of its training text, ``vocabulary`` the SHA-256 of its vocab.txt,
                   ``config`` the settings of the run at that step
``state_<N>.pth``  everything a resumed run needs, the keys of ``STATE`` too; the newest two are kept, and
                   those that a run may branch from
``*.safetensors``  weights in half precision (checkpoints/halved.py), a finished model that was made small
Beside each stands ``<name>.json`` with the file's SHA-256. The sidecar is written after the file, so a file whose
sidecar is missing or differs was cut short and is not trusted. Files are always loaded with ``weights_only=True``.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection
from pathlib import Path

import torch
from torch import Tensor

from pipeline.files import atomic
from pipeline.files.checkpoints import halved
from pipeline.files.checkpoints.names import STATES_KEPT, KeptStates, numbered
from pipeline.files.json_object import read_json_object
from pipeline.stage import InputError

Content = halved.Content
FORMAT = 3
WEIGHTS = {
    "step": int,
    "shape": dict,
    "seed": int,
    "dataset": str,
    "vocabulary": str,
    "config": dict,
    "device": str,
    "precision": str,
    "model": dict,
}
STATE = {
    "optimizer": dict,
    "sums": Tensor,
    "gradients": Tensor,
    "tokens": int,
    "seconds": float,
    "history": str,
    "history_path": str,
}


def save(path: Path, content: Content) -> None:
    """Write ``content`` (tensors and plain values) to ``path``, then its sidecar."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **content}, buffer)
    _write(path, buffer.getvalue(), content["step"])


def save_half(path: Path, content: Content) -> None:
    """Write what a weight checkpoint holds, as ``load`` gives it, in half precision; ``path`` ends in .safetensors.

    Raises:
        ValueError: a weight is not finite in float16.
    """
    weights = {name: value for name, value in content.items() if name not in STATE}
    _write(path, halved.packed(weights), content["step"])


def _write(path: Path, data: bytes, step: int) -> None:
    atomic.write_bytes(path, data)
    sidecar = {"file": path.name, "sha256": hashlib.sha256(data).hexdigest(), "step": step}
    atomic.write_json(_sidecar(path), sidecar)


def load(path: Path, device: torch.device | str = "cpu") -> Content:
    """Read a checkpoint whose SHA-256 matches its sidecar: the keys of ``WEIGHTS``, whatever else it holds.

    Raises:
        InputError: the file or its sidecar is missing, they do not match, the format is another, or a key is missing
            or of another type.
    """
    data = _bytes(path)
    if recorded_digest(path) != hashlib.sha256(data).hexdigest():
        raise InputError(f"{path}: does not match the SHA-256 in its sidecar; remove both and use another checkpoint")
    return _content(path, data, device)


def read(path: Path) -> Content:
    """Read a checkpoint whose sidecar may be missing, as it is when writing was cut off: to see what run it is of.

    Raises:
        InputError: as ``load``, but for the sidecar.
    """
    return _content(path, _bytes(path), "cpu")


def is_whole(path: Path) -> bool:
    """Whether ``path`` and its sidecar are there and agree."""
    try:
        return recorded_digest(path) == hashlib.sha256(_bytes(path)).hexdigest()
    except InputError:
        return False


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: not there; a checkpoint is a .pth file and its .json sidecar") from None


def _content(path: Path, data: bytes, device: torch.device | str) -> Content:
    try:
        if path.suffix == halved.SUFFIX:
            content = halved.unpacked(data)
        else:
            content = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
    except Exception:  # whatever torch and pickle make of bytes that are not a checkpoint
        raise InputError(f"{path}: is not a checkpoint that weights_only loading accepts; use another") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: not a checkpoint of format {FORMAT}; use the version of this program that wrote it")
    _check_kinds(path, content, WEIGHTS)
    for name, tensor in content["model"].items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise InputError(f"{path}: its weight {name!r} must be a named tensor; use another checkpoint")
    return content


def _check_kinds(path: Path, content: Content, kinds: dict[str, type]) -> None:
    for name, kind in kinds.items():
        value = content.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            found = "missing" if value is None else f"of type {type(value).__name__}, not {kind.__name__}"
            raise InputError(f"{path}: its {name!r} is {found}; use another checkpoint")


def recorded_digest(path: Path) -> str | None:
    """The SHA-256 that the sidecar of ``path`` records; the file itself is not read.

    Raises:
        InputError: the sidecar is missing or broken.
    """
    sidecar = read_json_object(_sidecar(path), "the sidecar of a checkpoint", "a .pth without its own is not trusted")
    digest = sidecar.get("sha256")
    return digest if isinstance(digest, str) else None


def save_state(folder: Path, content: Content, kept: KeptStates) -> None:
    """Write ``state_<step>.pth`` and remove all states before it but one and those to be ``kept``.

    States of later steps do not count: they could not be used, or the run would have gone on from them.
    """
    save(folder / f"state_{content['step']}.pth", content)
    before = [(step, path) for step, path in numbered(folder, "state") if step < content["step"]]
    for step, path in before[: 1 - STATES_KEPT]:
        if step not in kept:
            remove(path)


def newest_state(folder: Path) -> Path | None:
    """Where the newest state is, whole or not, or None where there is none."""
    states = numbered(folder, "state")
    return states[-1][1] if states else None


def load_state(path: Path) -> Content:
    """Read a full state, on the CPU, whose SHA-256 matches its sidecar.

    Raises:
        InputError: as ``load``, or the file holds weights alone.
    """
    content = load(path)
    _check_kinds(path, content, STATE)
    return content


def load_newest_state(folder: Path, say: Callable[[str], object] = print) -> Content | None:
    """The newest state that is whole, on the CPU, or None where there is none; ``say`` is told of those passed over."""
    for _, path in reversed(numbered(folder, "state")):
        try:
            return load_state(path)
        except InputError as error:
            say(f"passing over {path.name}: {error}")
    return None


def weight_files(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of the weight checkpoints in ``folder``, by step."""
    return numbered(folder, "step")


def rotate(folder: Path, keep: int, newest: int, spared: Collection[int] = ()) -> None:
    """Of the weight checkpoints up to step ``newest``, which was just written, keep the last ``keep``.

    Those of the ``spared`` steps stay too and do not count.
    """
    for _, path in [(step, path) for step, path in weight_files(folder) if step <= newest and step not in spared][
        :-keep
    ]:
        remove(path)


def clear(folder: Path) -> None:
    """Remove every checkpoint in ``folder``."""
    for kind in ("step", "state"):
        for _, path in numbered(folder, kind):
            remove(path)


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def remove(path: Path) -> None:
    """Remove the sidecar first: a file without one is not trusted."""
    _sidecar(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
