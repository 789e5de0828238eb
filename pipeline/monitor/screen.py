"""The progress of a run as one calm screen of text, fitted to the terminal's width and height."""

from __future__ import annotations

from itertools import groupby

from pipeline.formatting import columns_of, percent
from pipeline.monitor.progress import Progress
from pipeline.monitor.words import screen_words
from pipeline.terminal import Surface
from pipeline.words import Words

STATES = {"unknown": "whether it goes on is not recorded", "waiting": "waiting for the first record"}
NARROW = 60  # columns; below it cells stand below one another, and blank lines would cost too many
LEAST_CURVE = 10  # columns
# In a window too low for all lines, the first of them in this order.
NEEDED = ("head", "health", "motion", "accuracy", "surroundings", "curve", "schedule", "notes", "changes")


def screen(progress: Progress, surface: Surface | None = None, language: str = "en") -> str:
    """The progress in lines that fit on ``surface``, in one of LANGUAGES; where not all do, the most needed ones."""
    surface = surface or Surface()
    drawn = Screen(progress, surface, screen_words(language))
    blocks = {
        "head": drawn.head(),
        "motion": drawn.motion(),
        "schedule": drawn.schedule(),
        "changes": drawn.changes(),
        "accuracy": drawn.accuracy(),
        "curve": drawn.curve(),
        "surroundings": drawn.surroundings(),
        "health": drawn.health(),
        "notes": drawn.notes(),
    }
    groups = (
        ("head",),
        ("motion", "schedule", "changes"),
        ("accuracy", "curve"),
        ("surroundings",),
        ("health",),
        ("notes",),
    )
    joined = [[line for name in group for line in blocks[name]] for group in groups]
    text = "\n\n".join("\n".join(lines) for lines in joined if lines)
    room = surface.lines
    if surface.width < NARROW or (room is not None and text.count("\n") >= room):
        text = text.replace("\n\n", "\n")
    if room is None or text.count("\n") < room:
        return text
    lines = [line for name in NEEDED for line in blocks[name]]
    more = drawn.more(len(lines) - room + len(drawn.more(len(lines))))
    return "\n".join([*lines[: room - len(more)], *more])


class Screen:
    """The blocks of lines that a screen is put together from."""

    def __init__(self, progress: Progress, surface: Surface, say: Words) -> None:
        self._progress, self._surface, self._say = progress, surface, say
        self._name = say("MLM" if progress.accuracy_of == "masked characters" else "accuracy")

    def head(self) -> list[str]:
        p = self._progress
        lines = self._surface.title(p.history, self._say(STATES.get(p.state, p.state)))
        return lines if p.percent is None else [*lines, *self._surface.bar(p.percent / 100, f"{p.percent:5.1f} %")]

    def motion(self) -> list[str]:
        p, say = self._progress, self._say
        reached = say("{step:,}", step=p.step)
        if p.total_steps is not None:
            reached = say("{step:,} of {total:,}", step=p.step, total=p.total_steps)
        counted = say("1 record") if p.records == 1 else say("{count:,} records", count=p.records)
        resumed = p.rate_is_earlier and p.resumed is not None
        if p.state in ("running", "stalled") and not (resumed and p.records_since_resume == 0):
            counted = say("{records}, the last {age:duration} ago", records=counted, age=p.last_record_age)
        lines = self._row("step", reached, counted)
        if resumed and p.resumed is not None:
            since = say("one record since")
            if p.records_since_resume == 0:
                since = say("{age:duration} ago, no record since", age=p.last_record_age)
            lines += self._row("resumed", say("after step {step:,}", step=p.resumed.step), since)
        if p.rate_now and p.rate_is_earlier:
            lines += self._row(
                "rate", say("{speed} before the resume", speed=self._speed(p.rate_now)), say("measuring")
            )
        elif p.rate_is_earlier:
            lines += self._row("rate", say("measuring"))
        elif p.rate_now:
            overall = say("{speed} overall", speed=self._speed(p.rate_overall)) if p.rate_overall else ""
            lines += self._row("rate", say("{speed} now", speed=self._speed(p.rate_now)), overall)
        if p.seconds is not None:
            lines += self._time(p.seconds)
        return lines

    def _time(self, seconds: float) -> list[str]:
        p, say = self._progress, self._say
        if p.eta_seconds is None:
            return self._row("time", say("{seconds:duration}", seconds=seconds))
        text = "{eta:duration} left at that speed" if p.rate_is_earlier else "{eta:duration} left"
        left = say(text, eta=p.eta_seconds)
        if p.finish_time is not None:  # local time, as a wall clock shows it
            left = say("{left}, done at {time}", left=left, time=p.finish_time[:16])
        return self._row("time", say("{seconds:duration} so far", seconds=seconds), left)

    def schedule(self) -> list[str]:
        p, say, lines = self._progress, self._say, []
        if p.schedule:
            falls = p.schedule.constant_until
            later = "" if falls is None else say("the rate falls after step {step:,}", step=falls)
            lines += self._row("schedule", str(p.schedule), later)
        if p.branch:
            trunk = say("of {history}", history=p.branch.history)
            lines += self._row("branch", say("from step {step:,}", step=p.branch.step), trunk)
        return lines

    def changes(self) -> list[str]:
        say, lines = self._say, []
        for step, changes in groupby(self._progress.changes, lambda change: change["step"]):
            cells = [say("after step {step:,}", step=step)]
            for each in changes:
                values = {"before": _short(each["from"]), "after": _short(each["to"])}
                text = say("{setting} {before} to {after}", setting=each["setting"], **values)
                if len(cells) == 1:
                    lines += self._row("changed", *cells, text)
                else:
                    lines += self._row("", text)
                cells = ["", ""]
        return lines

    def accuracy(self) -> list[str]:
        p, say, lines = self._progress, self._say, []
        if p.eval_mlm_acc is not None and p.eval_mlm_acc_best_step is not None:
            best = percent(p.eval_mlm_acc_best, missing="")
            lines += self._row(
                "held-out",
                self._share(self._name, p.eval_mlm_acc),
                say("best {share} at step {step:,}", share=best, step=p.eval_mlm_acc_best_step),
            )
        elif p.eval_loss is not None:
            lines += self._row("held-out", say("loss {loss:.3f}", loss=p.eval_loss))
        training = [self._share(self._name, p.mlm_acc)] if p.mlm_acc is not None else []
        training += [self._share(say("NSP"), p.nsp_acc)] if p.nsp_acc is not None else []
        training += [say("loss {loss:.3f}", loss=p.loss)] if p.loss is not None else []
        training += [say("lr {lr}", lr=f"{p.lr:.2e}" if p.lr else 0)] if p.lr is not None else []
        if training:
            lines += self._row("training", training[0], "   ".join(training[1:]))
        if p.forecast_end and p.total_steps is not None:
            low, high = (100 * end for end in p.forecast_end)
            rough = say("rough, {of}; see --help", of=say(p.curve_of))
            lines += self._row("at the end", say("{low:.1f} to {high:.1f} %", low=low, high=high), rough)
        return lines

    def curve(self) -> list[str]:
        p, say = self._progress, self._say
        if not p.curve:
            return []
        of_loss = "loss" in p.curve_of
        scale, text = (1, "{low:.1f} to {high:.1f}") if of_loss else (100, "{low:.1f} to {high:.1f} %")
        span = say(text, low=scale * min(p.curve), high=scale * max(p.curve))
        told = say("{span} {of}", span=span, of=say(p.curve_of))
        room = self._surface.width - self._surface.edge
        beside = room - columns_of(told) - 3
        drawn = self._surface.sparkline(p.curve, beside if beside >= LEAST_CURVE else room)
        return self._row("curve", f"{drawn}  {told}") if beside >= LEAST_CURVE else self._row("curve", drawn, told)

    def surroundings(self) -> list[str]:
        p, say, lines = self._progress, self._say, []
        if p.disk:
            here = say("none here" if p.state == "finished" else "none yet")
            if p.disk.checkpoints:
                here = say("{count:,}, with states {used:bytes}", count=p.disk.checkpoints, used=p.disk.used)
            text = "{needed:bytes} to come, {free:bytes} free" if p.disk.needed else "{free:bytes} free"
            lines += self._row("checkpoints", here, say(text, needed=p.disk.needed, free=p.disk.free))
        if p.deviation:
            values = {"margin": 196 * p.deviation.error, "of": say(p.deviation.of), "name": self._name}
            lines += self._row(
                "reference",
                say("{difference:+.2f} points", difference=100 * p.deviation.difference),
                say("± {margin:.2f}, {of} {name}, last 8 records", **values),
            )
        return lines

    def health(self) -> list[str]:
        p, say = self._progress, self._say
        lines = [line for each in p.warnings for line in self._surface.warning(each.say(say))]
        if not lines and p.records:
            on_time = p.state == "running" and p.records_since_resume != 0
            text = "nothing wrong found, records arriving on time" if on_time else "nothing wrong found"
            lines = self._surface.quiet(self._row("healthy", say(text)))
        return [*lines, *(line for each in p.remarks for line in self._row("note", each.say(say)))]

    def notes(self) -> list[str]:
        """What is to be said of how the log was read."""
        told = [each.say(self._say.language) for each in self._progress.notes]
        return [line for number, text in enumerate(told) for line in self._row("" if number else "log", text)]

    def more(self, gone: int) -> list[str]:
        """That ``gone`` lines have no place in the window."""
        return self._surface.text(self._say("… {count} lines more; | cat shows all", count=gone))

    def _share(self, name: str, share: float) -> str:
        return self._say("{name} {share}", name=name, share=percent(share, missing=""))

    def _speed(self, rate: float) -> str:
        """Steps a second, or seconds a step for slow runs."""
        if rate >= 0.1:
            return self._say("{rate:.2f} steps/s", rate=rate)
        return self._say("{seconds:.1f} s a step", seconds=1 / rate)

    def _row(self, name: str, *cells: str) -> list[str]:
        return self._surface.row(self._say(name) if name else "", *cells)


def _short(value: object) -> str:
    """A setting in at most 16 columns: versions and processors are long."""
    text = str(value)
    return text if len(text) <= 16 else f"{text[:15]}…"
