"""How a run begins: after its newest state, at step 1, or not at all where it is finished or the files are another's.

Nothing is lost by giving the same command again: a run begins at step 1 only where no checkpoint was due yet, or where
``--no-resume`` asks for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.files import checkpoint
from pipeline.files.final_scoring import final_scoring_beside
from pipeline.files.history import History, parse_history, read_history
from pipeline.files.run_record import (
    Resume,
    note_resume,
    objective_of,
    recorded_changes,
    refuse_other_run,
    run_differences,
)
from pipeline.formatting import now
from pipeline.stage import InputError
from pipeline.train.run import Run, RunFiles
from pipeline.train.run_description import machine


def is_finished(files: RunFiles, planned: dict[str, Any]) -> bool:
    """Whether the ``planned`` run (a ``run`` object) is in ``files`` to its end, its final model whole and its own.

    Raises:
        InputError: the history says so, but the final model is another run's.
    """
    try:
        recorded = read_history(files.history)
    except InputError:  # missing or damaged
        return False
    if recorded.run.get("finished") is None or run_differences(recorded.run, planned):
        return False
    final = _final_model(files, planned)
    return final is not None and checkpoint.is_whole(files.final) and final["step"] == recorded.last_step


def start_over(files: RunFiles) -> None:
    """Remove what an earlier run left, the final model first: a run that is killed early never looks finished."""
    checkpoint.remove(files.final)
    if files.best:
        checkpoint.remove(files.best)
    checkpoint.clear(files.checkpoint_dir)
    final_scoring_beside(files.history).unlink(missing_ok=True)
    files.history.unlink(missing_ok=True)


def resume(run: Run, *, change_settings: bool) -> bool:
    """Take up the newest state of this same run, with other settings where ``change_settings`` allows it.

    A history that is missing or damaged is restored from the state. Without a state the run is left at step 0. Gives
    whether there was a state.

    Raises:
        InputError: the files belong to another run, or more would be lost than the steps before a first checkpoint.
    """
    files, planned = run.files, run.history.run
    recorded, damage = None, None
    if files.history.exists():
        try:
            recorded = read_history(files.history)
        except InputError as error:
            damage = error
    if recorded:
        refuse_other_run(files.history, recorded.run, planned, changing=change_settings)
    final = _final_model(files, planned, changing=change_settings)
    state = checkpoint.load_newest_state(files.checkpoint_dir, print if run.processes.first else lambda _: None)
    if state is None:
        if damage:
            raise InputError(f"{damage}; there is no state to restore it from: begin again with --no-resume")
        _refuse_to_lose(run, recorded, final, changing=change_settings)
        return False
    path = files.checkpoint_dir / f"state_{state['step']}.pth"
    saved = history_in(state, path)
    refuse_other_run(path, saved.run, planned, changing=change_settings)
    changed = run_differences(saved.run, planned)
    if changed and state["step"] >= (saved.run.get("stopped_early") or run.settings.steps):
        raise InputError(f"{path}: the run has ended at step {state['step']}, so no setting of it can be changed")
    take_up(run, state, path)
    run.history = saved
    note_resume(saved.run, Resume(run.step, now()))
    if run.processes.first:
        saved.write(files.history)  # at once: records beyond the state are of steps that will be taken again
        if recorded is None:
            print(f"{files.history}: {'was damaged' if damage else 'was missing'}; restored from {path.name}")
        print(f"resuming after step {run.step}")
    if changed:
        saved.run["config"] = planned["config"]
        _record_changes(run, changed)
        if run.processes.first:
            saved.write(files.history)
    return True


def record_machine(run: Run, *, resumed: bool) -> None:
    """Enter what ``run`` is computed with, and as a change where a ``resumed`` one was computed with something else."""
    recorded = run.history.run
    here = {**machine(), "processes": run.processes.count}
    if resumed:
        differs = {name: (recorded.get(name), value) for name, value in here.items() if recorded.get(name) != value}
        _record_changes(run, differs)
    recorded.update(here)


def _record_changes(run: Run, changed: dict[str, tuple[Any, Any]]) -> None:
    """Enter what is ``changed`` from the run's step on: (before, after) by name."""
    recorded = run.history.run
    for name, (before, after) in changed.items():
        change = {"step": run.step, "setting": name, "from": before, "to": after}
        recorded["changes"] = [*recorded_changes(recorded), change]
        if run.processes.first:
            print(f"from here on {name} is {after}, was {before}")


def history_in(state: dict[str, Any], path: Path) -> History:
    """The history in a full ``state``, which was read from ``path``.

    Raises:
        InputError: it is damaged.
    """
    try:
        value = json.loads(state["history"])
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InputError(
            f"{path}: the history in it is damaged; use another state (without this one, a run goes on from the one "
            "before it)"
        )
    return parse_history(value, path)


def take_up(run: Run, state: dict[str, Any], path: Path) -> None:
    """Let ``run`` be where the full ``state`` in ``path`` was saved, but for its history.

    Raises:
        InputError: the state does not fit the model or the optimizer.
    """
    try:
        run.objective.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        if run.processes.first:
            run.objective.sums.copy_(state["sums"])
        run.gradients.state.copy_(state["gradients"])
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise InputError(
            f"{path}: does not fit the model and optimizer of this run; use another state (without this one, a run "
            "goes on from the one before it)"
        ) from None
    run.step, run.tokens, run.seconds = state["step"], state["tokens"], state["seconds"]
    run.taken_up = run.step, run.seconds


def _final_model(files: RunFiles, planned: dict[str, Any], *, changing: bool = False) -> dict[str, Any] | None:
    """The model at the place of the final one; None where there is none. It may have been cut off from its sidecar.

    Raises:
        InputError: it is another run's, or not a model.
    """
    if not files.final.exists():
        return None
    try:
        content = checkpoint.read(files.final)
    except InputError:
        raise InputError(
            f"{files.final}: is damaged, or not a model of this program; move it away, give another --final, or "
            "--no-resume to replace it"
        ) from None
    refuse_other_run(files.final, _run_of(content, planned), planned, changing=changing)
    return content


def _refuse_to_lose(run: Run, recorded: History | None, final: dict[str, Any] | None, *, changing: bool) -> None:
    """Without a state: refuse to begin at step 1 where a checkpoint was due already, or another run's lie there.

    Raises:
        InputError: as above.
    """
    files, planned = run.files, run.history.run
    reached = [recorded.last_step if recorded else 0, final["step"] if final else 0]
    for _, path in reversed(checkpoint.weight_files(files.checkpoint_dir)):
        try:
            content = checkpoint.load(path)
        except InputError:  # cut short
            continue
        refuse_other_run(path, _run_of(content, planned), planned, changing=changing)
        reached.append(content["step"])
        break
    finished = final is not None or (recorded is not None and recorded.run.get("finished") is not None)
    begun, interval = (planned.get("branch") or {"step": 0})["step"], run.settings.save_interval
    if finished or max(reached) > (begun // interval + 1) * interval:
        raise InputError(
            f"{files.checkpoint_dir}: the run came to step {max(reached)}, but its full states (state_<N>.pth) are "
            "missing or damaged; put one back, or begin again with --no-resume"
        )


def _run_of(content: dict[str, Any], planned: dict[str, Any]) -> dict[str, Any]:
    """Which run a checkpoint is of, as a ``run`` object says it; where it says nothing of a branch, the planned one."""
    facts = {key: content[key] for key in ("config", "device", "precision")}
    facts["objective"] = objective_of(content)
    branch = content.get("branch", planned.get("branch"))
    return {**facts, "dataset": {"fingerprint": content["dataset"]}, "branch": branch}
