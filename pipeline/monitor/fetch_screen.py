"""The progress of a fetch, read from its store, as one screen of text."""

from __future__ import annotations

from datetime import datetime, timezone

from pipeline.collect.api.store import FetchProgress
from pipeline.monitor.words import screen_words
from pipeline.terminal import Surface
from pipeline.words import Words

SILENT_SECONDS = 300.0  # longer than the wiki is ever waited for between two pages


def fetch_screen(facts: FetchProgress, now: float, surface: Surface | None = None, language: str = "en") -> str:
    """The facts at ``now`` (seconds, Unix) in lines that fit on ``surface``, in one of LANGUAGES."""
    surface, say = surface or Surface(), screen_words(language)

    def row(name: str, *cells: str) -> list[str]:
        return surface.row(say(name) if name else "", *cells)

    age = None if facts.updated is None else max(0.0, now - _unix(facts.updated))
    silent = not facts.finished and (age if age is not None else now - _unix(facts.started)) > SILENT_SECONDS
    state = f"finished: {facts.reason}" if facts.finished and facts.reason else "silent" if silent else "fetching"
    lines = surface.title(facts.store, say(state))
    share = _share(facts)
    if share is not None:
        lines += surface.bar(share, f"{100 * share:5.1f} %")
    last = "" if age is None or facts.finished else say("the last one {age:duration} ago", age=age)
    passed_over = say("{count:,} passed over", count=facts.passed_over)
    lines += [
        "",
        *row("wiki", facts.api),
        *row("pages", say("{count:,} stored", count=facts.pages), last),
        *row("", say("{count:,} waiting", count=facts.pending), passed_over),
        *row("sentences", _of(say, facts.sentences, facts.target_sentences)),
        *row("characters", _of(say, facts.distinct_han, facts.target_vocab), say("distinct Han characters")),
        *row("requests", f"{facts.requests:,}", say("{count:,} of them repeated", count=facts.retries)),
    ]
    if facts.pages_per_minute is not None:
        left = None if silent else _left(facts)
        rate = say("{rate:.1f} pages/min", rate=facts.pages_per_minute)
        lines += row("rate", rate, "" if left is None else say("about {left:duration} left", left=left))
    if silent:
        text = "silent: no page for {age:duration}" if age is not None else "silent: no page yet"
        lines += ["", *surface.warning(say(f"{text}; it has stopped or waits for the wiki", age=age))]
    elif not facts.finished:
        lines += ["", *surface.quiet(row("healthy", say("pages arriving")))]
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


def _of(say: Words, have: int, want: int | None) -> str:
    return f"{have:,}" if want is None else say("{have:,} of {want:,}", have=have, want=want)


def _unix(time: str) -> float:
    moment = datetime.fromisoformat(time)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
