"""The training loop, the same for every objective.

A step takes its batch from the objective, in as many micro-batches as the settings and the processes ask for, and makes
one optimizer step of them. Every ``log_interval`` steps a record is appended to the history; every ``save_interval``
steps, and where a state is to be kept, a checkpoint is written. Nothing random depends on what ran before: batches and
dropout come from seed and step.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipeline.formatting import NOTHING, percent
from pipeline.model import dropout
from pipeline.stage import StopSignal
from pipeline.statistics.early_stop import FALLS, EarlyStop
from pipeline.train.run import Run, refuse_divergence, save, save_best, save_weights
from pipeline.train.settings import dropout_seed
from pipeline.train.tensorboard import TensorBoard
from pipeline.train.threads import BusyMachine


def train(run: Run, *, compiled: bool, tensorboard: Path | None = None) -> int:
    """Train to the last step. Returns 0, or the exit code that a signal asked for, after saving.

    Raises:
        RunFailed: the loss or the gradient stopped being finite.
    """
    settings, processes, objective = run.settings, run.processes, run.objective
    rates = settings.rates
    if compiled:
        objective.model.compile(dynamic=True)
    model = processes.parallel(objective.model).train()
    quiet = not (processes.first and sys.stdout.isatty())
    bar = tqdm(total=settings.steps, initial=run.step, unit="step", disable=quiet, file=sys.stdout)
    machine = BusyMachine()
    log = TensorBoard(tensorboard if processes.first else None, run.step)
    count = processes.micro_batches(settings.accumulation)
    kept = run.kept_states
    if run.step == 0 and 0 in settings.early_steps:
        save_weights(run)
    clock = time.perf_counter() - run.seconds
    with ThreadPoolExecutor(max_workers=1) as worker, StopSignal() as signals:
        # The worker lays out the next step's batch while this one is computed.
        upcoming = worker.submit(objective.micro_batches, run.step + 1, count)
        stopping = 0
        while run.step < run.last_step and not stopping:
            step = run.step + 1
            parts = upcoming.result()
            upcoming = worker.submit(objective.micro_batches, step + 1, count)
            mine = range(processes.rank, len(parts), processes.count)
            for number in mine:
                dropout.seed(dropout_seed(settings.seed, step, number))
                with processes.synchronized(model, last=number == mine[-1]):
                    run.optimizer.backward(objective.loss(model, parts[number], parts, processes.count))
            run.gradients.note(step, run.optimizer.step(rates.rate(step)))
            run.step = step
            run.tokens += sum(map(objective.tokens, parts))
            run.seconds = time.perf_counter() - clock

            signals.hold()  # the first step, which may compile for minutes, leaves nothing worth saving when cut short
            stopping = processes.greatest(signals.code)
            if step % settings.log_interval == 0 or step == settings.steps:
                record(run, bar, log)
                advice = machine.advice()
                if advice and processes.first:
                    bar.write(f"note: {advice}")
                if settings.early_stop and processes.greatest(gains_too_little(run)):
                    run.history.run["stopped_early"] = step
            if step % settings.save_interval == 0 or step in kept or step == run.last_step or stopping:
                save(run)
            if step in settings.early_steps and step % settings.save_interval:
                save_weights(run)
            run.seconds = time.perf_counter() - clock
            bar.update()
    stopping = processes.greatest(signals.code)  # one may have come while the last step was recorded and saved
    bar.close()
    if stopping and processes.first:
        print(f"stopped by a signal after step {run.step}, which is saved; the same command goes on from there")
    return stopping


def record(run: Run, bar: tqdm[Any], log: TensorBoard) -> None:
    """Append the means since the last record and the held-out scores; write the history."""
    refuse_divergence(run)
    run.processes.collect(run.objective.sums)
    norm = run.gradients.take_mean()
    if not run.processes.first:
        return
    settings = run.settings
    held_out = run.step % (settings.log_interval * settings.eval_every) == 0 or run.step == settings.steps
    entry = {
        "steps": run.step,
        **run.objective.record(run.step, held_out),
        "lr": run.settings.rates.rate(run.step),
        "grad_norm": norm,
        "tokens": run.tokens,
        "seconds": round(run.seconds, 3),
    }
    run.history.append(entry)
    run.write_history(at_once=run.step == run.last_step)
    if held_out and run.files.best:
        save_best(run)
    log.write(entry)
    columns, name = run.objective.columns, run.objective.name
    shares = [entry[key] if key else None for key in (columns.accuracy.train, columns.accuracy.held_out)]
    loss = entry[columns.loss.train]
    shown = NOTHING if loss is None else f"{loss:.3f}"
    line = f"loss {shown}  {name} {percent(shares[0], 1)}  held out {percent(shares[1], 1)}"
    if bar.disable:
        before, spent = run.taken_up
        rate = (run.step - before) / (run.seconds - spent)  # of this process, which may be faster than the one before
        left = (run.settings.steps - run.step) / rate
        print(f"step {run.step}/{run.settings.steps}  {line}  {rate:.1f} steps/s  {left:.0f} s left", flush=True)
    else:
        bar.set_postfix_str(line, refresh=False)
    for text in run.objective.samples(run.step) if held_out else ():
        bar.write(text)


def gains_too_little(run: Run) -> bool:
    """Whether the rule of ``pipeline/statistics/early_stop.py`` ends the run at its newest record.

    Never while the learning rate has still to fall.
    """
    rates = run.settings.rates
    if not run.processes.first or rates.rate(run.step) - rates.rate(rates.steps) > FALLS * rates.peak:
        return False
    held_out = run.history.records[run.history.columns.accuracy.held_out or run.objective.columns.accuracy.train]
    return EarlyStop(run.settings.early_stop).stops(run.history.steps, held_out, run.objective.held_out_targets())
