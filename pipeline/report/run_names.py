"""A short name for each of several runs: what tells them apart."""

from __future__ import annotations

from pathlib import Path

from pipeline.files.history import History
from pipeline.formatting import Step, step_text


def run_names(paths: list[Path], histories: list[History]) -> list[str]:
    """Names by length of the run, by seed, by preset, by several of these, or by the end of the path; all different.

    Raises:
        InputError: a ``run`` object holds values of a wrong type.
    """
    facts = [history.facts for history in histories]
    lengths = [_steps(fact.count("config", "steps") or history.last_step)
               for fact, history in zip(facts, histories, strict=True)]  # fmt: skip
    seeds = [f"seed {fact.count('seed')}" for fact in facts]
    presets = [fact.text("preset") for fact in facts]
    kinds = [[preset for preset in presets if preset]] if all(presets) and len(set(presets)) > 1 else []
    for parts in ([lengths], [seeds], [lengths, seeds]):
        names = [", ".join(each) for each in zip(*kinds, *parts, strict=True)]
        if len(set(names)) == len(names):
            return names
    alike = len({path.name for path in paths}) == 1  # then the folders tell them apart
    ends = [path.parent if alike and len(path.parts) > 1 else path.with_suffix("") for path in paths]
    for count in range(1, max(len(path.parts) for path in ends) + 1):
        names = ["/".join(path.parts[-count:]) for path in ends]
        if len(set(names)) == len(names):
            return names
    return [f"{number}: {path}" for number, path in enumerate(paths, 1)]  # the same file more than once


def _steps(step: Step) -> str:
    return f"{step / 1000:g}K" if step >= 1000 and step % 100 == 0 else step_text(step)
