"""A short name for each of several runs: what tells them apart."""

from __future__ import annotations

from pathlib import Path

from pipeline.files.history import History
from pipeline.formatting import Step, step_text


def run_names(paths: list[Path], histories: list[History]) -> list[str]:
    """Names by length of the run, by seed, by both, or by the shortest end of the path; all different.

    Raises:
        InputError: a ``run`` object holds values of a wrong type.
    """
    facts = [history.facts for history in histories]
    lengths = [_steps(fact.count("config", "steps") or history.last_step)
               for fact, history in zip(facts, histories, strict=True)]  # fmt: skip
    seeds = [f"seed {fact.count('seed')}" for fact in facts]
    both = [f"{length}, {seed}" for length, seed in zip(lengths, seeds, strict=True)]
    for names in (lengths, seeds, both):
        if len(set(names)) == len(names):
            return names
    for parts in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.with_suffix("").parts[-parts:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{number}: {path}" for number, path in enumerate(paths, 1)]  # the same file more than once


def _steps(step: Step) -> str:
    return f"{step / 1000:g}K" if step >= 1000 and step % 100 == 0 else step_text(step)
