"""A run of the learner over a stream: how far it has come, its history, and how it is saved and taken up again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files import atomic
from pipeline.files.columns import AccuracyColumns, Columns, LossColumns
from pipeline.files.history import History, parse_history
from pipeline.files.run_record import SEED, Resume, RunObject, note_resume, refuse_other_run
from pipeline.formatting import now
from pipeline.predictor import engine
from pipeline.predictor.learner import learn
from pipeline.predictor.state import Learner, Setting, arrays_of, new_learner
from pipeline.stage import InputError

STATE_FORMAT = 2
AT_ONCE = 500  # symbols between two looks for a signal
COLUMNS = Columns(
    accuracy=AccuracyColumns("symbol_acc", None, None, "symbols", "symbols before they were seen"),
    loss=LossColumns("bits_per_symbol", None, "bits"),
    pairs=None,
)


@dataclass
class Stream:
    """The learner at ``place`` of ``data``, with the sums since the last record."""

    data: bytes
    setting: Setting
    record_every: int
    history: History
    learner: Learner
    place: int = 0
    seconds: float = 0.0
    total: float = 0.0  # bits so far
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0])  # bits and hits since the last record

    def advance(self) -> None:
        """Learn the next symbols, and append a record where one is due."""
        left = min(self.record_every - self.place % self.record_every, len(self.data) - self.place)
        symbols = np.frombuffer(self.data, np.uint8, min(left, AT_ONCE), self.place)
        bits, hits = learn(self.learner, symbols)
        self.place += symbols.size
        self.total += float(bits.sum())
        self.sums = [self.sums[0] + float(bits.sum()), self.sums[1] + int(hits.sum())]
        if self.place % self.record_every == 0 or self.ended:
            self._record()

    @property
    def ended(self) -> bool:
        return self.place == len(self.data)

    def _record(self) -> None:
        count = (self.place - 1) % self.record_every + 1
        self.history.append(
            {
                "steps": self.place,
                "symbol_acc": self.sums[1] / count,
                "symbols": count,
                "bits_per_symbol": self.sums[0] / count,
                "seconds": round(self.seconds, 3),
            }
        )
        self.sums = [0.0, 0.0]

    def finish(self) -> RunObject:
        """Enter the result of a whole pass into the history, and give it."""
        characters = len(self.data.decode("utf-8", "replace"))
        result = {
            "symbols": len(self.data),
            "characters": characters,
            "bits": self.total,
            "bits_per_symbol": self.total / len(self.data),
            "bits_per_character": self.total / characters,
        }
        self.history.run |= {"result": result, "finished": now()}
        return result

    def save(self, path: Path) -> None:
        """Write all that the next symbol depends on, and the history so far, in one step."""
        content: dict[str, Any] = {f"learner.{name}": array for name, array in arrays_of(self.learner).items()}
        facts = {
            "format": STATE_FORMAT,
            "place": self.place,
            "seconds": self.seconds,
            "total": self.total,
            "sums": self.sums,
            "history": self.history.to_json(),
        }
        buffer = io.BytesIO()
        np.savez(buffer, facts=np.array(json.dumps(facts)), **content)
        atomic.write_bytes(path, buffer.getvalue())


def new_stream(data: bytes, name: str, setting: Setting, record_every: int) -> Stream:
    """A stream at its beginning."""
    lists = ("steps", "symbol_acc", "symbols", "bits_per_symbol", "seconds")
    run = {
        "preset": "seed",
        "objective": SEED,
        "config": {
            **asdict(setting),
            "without": list(setting.without),
            "record_every": record_every,
            "engine": engine.NAME,
        },
        "dataset": {"path": name, "symbols": len(data), "fingerprint": hashlib.sha256(data).hexdigest()},
        "started": now(),
        "columns": COLUMNS.to_json(),
    }
    return Stream(data, setting, record_every, History({key: [] for key in lists}, run), new_learner(setting))


def take_up(stream: Stream, path: Path) -> None:
    """Let ``stream`` be where the state in ``path`` was saved.

    Raises:
        InputError: it is damaged, or of another run.
    """
    try:
        with np.load(path, allow_pickle=False) as saved:
            facts = json.loads(saved["facts"].item())
            arrays = {name: saved[f"learner.{name}"] for name in arrays_of(stream.learner)}
            history = parse_history(json.loads(facts["history"]), path)
            if facts["format"] != STATE_FORMAT:
                raise ValueError(facts["format"])
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError):
        raise InputError(f"{path}: damaged, or not a state of this program; begin again with --no-resume") from None
    refuse_other_run(path, history.run, stream.history.run)
    for name, array in arrays_of(stream.learner).items():
        array[...] = arrays[name]
    stream.history = history
    stream.place, stream.seconds = facts["place"], facts["seconds"]
    note_resume(history.run, Resume(stream.place, now()))
    stream.total, stream.sums = facts["total"], facts["sums"]
