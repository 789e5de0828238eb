"""The curves of one or several runs as a page to be read off: values under the pointer, zoom, scales, smoothing.

The drawing is Plotly's, whose script stands in the page, so that it opens without a network; what the reader can choose
is in curves.js. While a run is going on the page reloads itself, and keeps zoom and choices.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.figures import labels
from pipeline.files.history import History
from pipeline.formatting import step_text
from pipeline.stage import InputError
from pipeline.words import Words

MOST_RECORDS = 4000  # of a run; a longer one has every so many-th only
DIGITS = 5  # significant ones of what is drawn
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A")  # Okabe & Ito
ACROSS = {"steps": "optimizer step", "tokens": "tokens", "seconds": "seconds", "flops": "FLOPs"}
HOW_TO_READ = "Dots are records, lines their running means; drag to zoom, click twice to go back."
SCRIPT = Path(__file__).with_name("curves.js")
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f23; --quiet: #57606a; --back: #fff; --rule: #d8dee4 }
@media (prefers-color-scheme: dark) { :root { --ink: #d7dde4; --quiet: #9aa4af; --back: #14181d; --rule: #30363d } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 88rem; padding: 1rem; color: var(--ink); background: var(--back);
  font: 16px/1.5 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif }
h1 { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere }
p { margin: .3rem 0; color: var(--quiet); overflow-wrap: anywhere }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin: .8rem 0; padding: .6rem 0;
  border-block: 1px solid var(--rule) }
label { display: flex; gap: .5rem; align-items: center }
select, input { font: inherit; accent-color: #0072B2 }
#curves { width: 100%; height: calc(100vh - 11rem); min-height: 34rem }
"""


def curves_page(runs: Sequence[tuple[str, History]], say: Words, reload: float | None = None) -> str:
    """The page of ``runs`` (name, history).

    Args:
        reload: seconds after which the page reloads itself; None for a page that stays as it is.

    Raises:
        InputError: Plotly's package is not installed.
    """
    language = "zh-Hans" if say.language == "zh" else "en"
    histories = [history for _, history in runs]
    title = say("The curves of {name}", name=say(", ").join(name for name, _ in runs))
    last = [f"{name}{say(': ')}{say('step {step}', step=step_text(history.last_step))}" for name, history in runs]
    across = {key: say(text) for key, text in ACROSS.items() if any(_across(each, key) for each in histories)}
    told = {
        "runs": [_run(name, history) for name, history in runs],
        "panels": _panels(histories, say),
        "across": across,
        "colours": COLOURS,
        "comma": say(", "),
        "reload": reload,
    }
    scales = {"linear": say("linear scale"), "log": say("logarithmic")}
    window = '<input id="window" type="range" min="0" max="0.2" step="0.01">'
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p>{escape(say("; ").join(last))}{say(". ")}{escape(say(HOW_TO_READ))}</p>
<form>
<label>{escape(say("across"))} {_select("across", across)}</label>
<label>{escape(say("scale"))} {_select("scale", scales)}</label>
<label>{escape(say("smoothing"))} {window}</label>
</form>
<div id="curves" role="img" aria-label="{escape(title)}"></div>
<script>{_plotly()}</script>
<script>const told = {_script_text(told)};</script>
<script>{SCRIPT.read_text(encoding="utf-8")}</script>
</body>
</html>
"""


def _run(name: str, history: History) -> dict[str, Any]:
    """Name, horizontal axes and lists of a run, thinned where they are long."""
    every = -(-len(history) // MOST_RECORDS) or 1
    across = {key: found for key in ACROSS if (found := _across(history, key))}
    keys = {key for role in labels.AS_PUBLISHED if (key := history.key_of(role))}
    columns = history.columns
    extra = [columns.accuracy.held_out_han, *([columns.pairs.train, columns.pairs.held_out] if columns.pairs else [])]
    keys |= {key for key in extra if key and history.has(key)}
    lists = {key: _plain(history.series(key)) for key in sorted(keys)}
    return {
        "name": name,
        "across": {key: values[::every] for key, values in across.items()},
        "lists": {key: values[::every] for key, values in lists.items()},
    }


def _across(history: History, key: str) -> list[float | None] | None:
    """The values of one horizontal axis; None where the run does not know them."""
    if key == "flops":
        each = history.facts.number("flops_per_step")
        values = history.series("steps") * (np.nan if each is None else each)
    else:
        values = history.series("steps") if key == "steps" else history.known(key)
    return _plain(values) if np.isfinite(values).any() else None


def _plain(values: np.ndarray) -> list[float | None]:
    """``values`` (float [N]) as JSON takes them."""
    return [float(f"{value:.{DIGITS}g}") if isfinite(value) else None for value in values.tolist()]


def _panels(histories: Sequence[History], say: Words) -> list[dict[str, Any]]:
    """What is drawn above each other: accuracy, loss, sentence pairs; each with its lines."""
    columns, found = histories[0].columns, []
    pairs = columns.pairs
    masked = columns.accuracy.of == labels.MASKED
    shares = {"format": ".2%", "ticks": ".0%"}
    roles: list[tuple[str, list[tuple[str | None, str]], dict[str, str]]] = [
        (
            say("MLM accuracy") if masked else say("Accuracy"),
            [
                (columns.accuracy.train, "training"),
                (columns.accuracy.held_out, "held-out"),
                (columns.accuracy.held_out_han, "held-out, Han"),
            ],
            shares,
        ),
        (
            labels.loss(histories[0], say),
            [(columns.loss.train, "training"), (columns.loss.held_out, "held-out")],
            {"format": ".4f", "ticks": ""},
        ),
        (
            say("NSP accuracy"),
            [(pairs.train, "training"), (pairs.held_out, "held-out")] if pairs else [],
            shares,
        ),
    ]
    for title, lines, look in roles:
        known = [(key, name) for key, name in lines if key and any(each.has(key) for each in histories)]
        if known:
            found.append({"title": title, **look, "lines": [{"key": key, "name": say(name)} for key, name in known]})
    return found


def _select(name: str, options: dict[str, str]) -> str:
    shown = "".join(f'<option value="{key}">{escape(text)}</option>' for key, text in options.items())
    return f'<select id="{name}">{shown}</select>'


def _script_text(value: object) -> str:
    """``value`` as it may stand in a script: no text in it can end that."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


@cache
def _plotly() -> str:
    """Plotly's own script."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise InputError(
            "pages that can be read off need the package plotly: pip install -r requirements-interactive.txt"
        ) from None
    return str(get_plotlyjs())
