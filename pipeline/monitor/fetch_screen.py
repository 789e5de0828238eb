"""The progress of a fetch, read from its store, as one screen of text."""

from __future__ import annotations

from datetime import datetime, timezone

from pipeline.collect.api.store import FetchProgress
from pipeline.formatting import duration
from pipeline.terminal import bar, fitted, healthy, row, title, warning

SILENT_SECONDS = 300.0  # longer than the wiki is ever waited for between two pages


def fetch_screen(facts: FetchProgress, now: float, columns: int = 80, *, styled: bool = False) -> str:
    """The facts at ``now`` (seconds, Unix) in lines of at most ``columns``."""
    width = fitted(columns)
    age = None if facts.updated is None else max(0.0, now - _unix(facts.updated))
    silent = not facts.finished and (age if age is not None else now - _unix(facts.started)) > SILENT_SECONDS
    state = f"finished: {facts.reason}" if facts.finished else "silent" if silent else "fetching"
    lines = [title(facts.store, state, width, styled)]
    share = _share(facts)
    if share is not None:
        number = f"  {100 * share:5.1f} %"
        lines.append(bar(share, width - len(number)) + number)
    last = "" if age is None or facts.finished else f"the last one {duration(age)} ago"
    lines += [
        "",
        row("wiki", facts.api),
        row("pages", f"{facts.pages:,} stored", last),
        row("", f"{facts.pending:,} waiting", f"{facts.passed_over:,} passed over"),
        row("sentences", _of(facts.sentences, facts.target_sentences)),
        row("characters", _of(facts.distinct_han, facts.target_vocab), "distinct Han characters"),
        row("requests", f"{facts.requests:,}", f"{facts.retries:,} of them repeated"),
    ]
    if facts.pages_per_minute is not None:
        left = None if silent else _left(facts)
        rate = f"{facts.pages_per_minute:.1f} pages/min"
        lines.append(row("rate", rate, "" if left is None else f"about {duration(left)} left"))
    if silent:
        text = f"silent: no page for {duration(age)}" if age is not None else "silent: no page yet"
        lines += ["", warning(f"{text}; it has stopped or waits for the wiki", styled)]
    elif not facts.finished:
        lines += ["", healthy("pages arriving", styled)]
    return "\n".join(lines)


def _share(facts: FetchProgress) -> float | None:
    """How much of the targets is there: of the one that is further off, both being needed."""
    shares = [
        have / want
        for have, want in (
            (facts.sentences, facts.target_sentences),
            (facts.distinct_han, facts.target_vocab),
        )
        if want
    ]
    return min(1.0, *shares) if shares else None


def _left(facts: FetchProgress) -> float | None:
    """Seconds until the sentence target at the present rate of pages; None where that cannot be said."""
    if facts.finished or not facts.pages or not facts.sentences or not facts.target_sentences:
        return None
    pages = max(0, facts.target_sentences - facts.sentences) * facts.pages / facts.sentences
    return 60 * pages / facts.pages_per_minute if facts.pages_per_minute else None


def _of(have: int, want: int | None) -> str:
    return f"{have:,}" if want is None else f"{have:,} of {want:,}"


def _unix(time: str) -> float:
    moment = datetime.fromisoformat(time)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
