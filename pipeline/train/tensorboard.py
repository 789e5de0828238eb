"""The records of the history for TensorBoard too, where that is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.stage import InputError


class TensorBoard:
    """Writes each record under ``folder``; without a folder it does nothing.

    Raises:
        InputError: a folder is given but the package tensorboard is not installed.
    """

    def __init__(self, folder: Path | None, purge_after: int = 0) -> None:
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise InputError("--tensorboard needs the package tensorboard; pip install tensorboard") from None
        self._writer = SummaryWriter(str(folder), purge_step=purge_after + 1)

    def write(self, record: dict[str, Any]) -> None:
        """Every value of ``record`` that is not null, at its step."""
        if self._writer is None:
            return
        for key, value in record.items():
            if key != "steps" and value is not None:
                self._writer.add_scalar(key, value, record["steps"])
        self._writer.flush()
