"""The report as one HTML page: figures, tables, facts and caveats, readable on paper, on a wide screen and on a phone.

Figures are vector images inside the page, so it opens without a network and without the files beside it. Same data,
same bytes: the time of drawing is left out.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from math import isfinite

from pipeline.analyse.schema.analysis import Analysis
from pipeline.figures.labels import MASKED
from pipeline.files.history import History
from pipeline.files.run_record import Facts
from pipeline.formatting import duration, percent, step_text
from pipeline.report.alternatives import alternatives
from pipeline.report.captions import captions_of, caveats_of, glossary_of
from pipeline.report.tables import Table
from pipeline.words import Words

GUIDES = ("ANALYSIS.md", "TRAINING.md", "DATASET.md", "TEACHING.md", "CLAIMS.md")
LONGEST_UNBROKEN = 20  # characters
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f23; --quiet: #57606a; --rule: #d8dee4; --tint: #f6f8fa; --back: #fff;
  --accent: #003f6b }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #d7dde4; --quiet: #9aa4af; --rule: #30363d;
  --tint: #1d232a; --back: #14181d; --accent: #7cc4f5 } figure img { border-radius: .5rem } a { color: var(--accent) } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; color: var(--ink); background: var(--back);
  font: 16px/1.55 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.2rem; margin: 3rem 0 1rem; padding-bottom: .3rem; border-bottom: 1px solid var(--rule) }
h3 { font-size: 1rem; margin: 0 0 .5rem }
header p { margin: .4rem 0 0; color: var(--quiet); overflow-wrap: anywhere }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem;
  margin: 1.75rem 0 0 }
dl.facts div { background: var(--tint); border-radius: .5rem; padding: .8rem 1rem }
dl.facts dt { color: var(--quiet); font-size: .85rem }
dl.facts dd { margin: .1rem 0 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums;
  color: var(--accent) }
figure { margin: 0 0 2.5rem }
figure .scroll, .table .scroll { overflow-x: auto; -webkit-overflow-scrolling: touch }
figure img { display: block; background: #fff; width: 100%; min-width: 46rem; height: auto }
figcaption, .remark { color: var(--quiet); font-size: .9rem; margin-top: .5rem; max-width: 60rem }
figcaption b { color: var(--ink) }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 2rem 2.5rem }
.table { min-width: 0 }
.table.wide { grid-column: 1 / -1 }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--rule); vertical-align: top }
thead th { color: var(--quiet); font-weight: 500 }
tbody th { font-weight: 400 }
td.short { white-space: nowrap }
.narrow { display: none }
ul { padding-left: 1.2rem; max-width: 60rem }
li { margin: .3rem 0 }
@media (max-width: 40rem) { body { padding: 1.25rem 1rem 3rem } h1 { font-size: 1.35rem } .narrow { display: block }
  .table.wide table { min-width: 44rem } /* narrower columns would break their texts at every word */
  dl.facts { grid-template-columns: 1fr 1fr } dl.facts dd { font-size: 1.1rem } }
@media print { figure, .table { break-inside: avoid } figure img { min-width: 0 } }
"""


def report_page(
    facts: Facts,
    name: str,
    history: History,
    analysis: Analysis,
    figures: Mapping[str, bytes],
    tables: list[Table],
    say: Words,
    *,
    english_figures: bool,
    guides: str | None = None,
) -> str:
    """The page of the run ``name``.

    Args:
        figures: SVG files by name.
        english_figures: the figures of a Chinese page are in English, for want of a font.
        guides: where the project's docs are, seen from the page; None where they are not at hand.
    """
    language = "zh-Hans" if say.language == "zh" else "en"
    title = say("report of {name}", name=name)
    parts = [
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">",
        f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>',
        f"<header><h1>{escape(say('A training run in figures'))}</h1><p>{escape(name)}</p></header>",
        _facts(_key_numbers(facts, history, analysis, say)),
        f"<h2>{escape(say('Figures'))}</h2>",
    ]
    if english_figures:
        text = say("The figures are in English: no font with Chinese characters was installed where they were drawn.")
        parts.append(f'<p class="remark">{escape(text)}</p>')
    parts.append(f'<p class="remark narrow">{escape(say("The figures scroll sideways."))}</p>')
    captions, instead = captions_of(history), alternatives(history, analysis, say)
    parts += [_figure(key, captions[key], picture, instead.get(key, ""), say) for key, picture in figures.items()]
    parts += [f"<h2>{escape(say('Tables'))}</h2>"]
    if any(_is_wide(table) for table in tables):
        parts.append(f'<p class="remark narrow">{escape(say("Wide tables scroll sideways."))}</p>')
    parts += ['<div class="tables">', *map(_table, tables), "</div>"]
    told = "".join(f"<li>{escape(say(text))}</li>" for text in caveats_of(history))
    told += "".join(f"<li>{escape(note.say(say.language))}</li>" for note in history.notes)
    parts += [f"<h2>{escape(say('How to read this'))}</h2>", f"<ul>{told}</ul>"]
    words = "".join(
        f"<li><b>{escape(say(term))}</b>{say(': ')}{escape(say(text))}</li>" for term, text in glossary_of(history)
    )
    parts += [f"<h2>{escape(say('Words'))}</h2>", f"<ul>{words}</ul>"]
    if guides:
        links = say(", ").join(f'<a href="{escape(f"{guides}/{name}")}">{name}</a>' for name in GUIDES)
        parts.append(f'<p class="guides">{escape(say("To read on"))}{say(": ")}{links}</p>')
    parts.append("</body>\n</html>\n")
    return "\n".join(parts)


def _key_numbers(facts: Facts, history: History, analysis: Analysis, say: Words) -> list[tuple[str, str]]:
    """The few numbers at the top: (name, value)."""
    step, total = history.last_step, facts.count("config", "steps")
    unfinished = total is not None and step < total
    steps = f"{step_text(step)} / {total:,}" if unfinished else step_text(step)
    numbers = [(say("epochs") if history.columns.step == "epoch" else say("steps"), steps)]
    tested = facts.number("test", "mlm_acc")
    if tested is not None:
        numbers.append((say("MLM accuracy, test articles"), percent(tested)))
    elif (bits := facts.number("test", "bits_per_character")) is not None:
        numbers.append((say("bits per character, test text"), f"{bits:.3f}"))
    else:
        numbers += _last_scores(history, say)[:1]
    for text, curve in (("training", analysis.training), ("held-out", analysis.held_out)):
        if curve and curve.pearson.r is not None:
            numbers.append((say(f"Pearson r of step and accuracy, {text}"), f"{curve.pearson.r:.3f}"))
            break
    seconds = history.last("seconds")
    if seconds is not None and isfinite(seconds):
        numbers.append((say("training time"), duration(seconds, say.language)))
    return numbers


def _last_scores(history: History, say: Words) -> list[tuple[str, str]]:
    """The last accuracies and losses that are numbers, the one that tells most first."""
    name = "MLM accuracy" if history.columns.accuracy.of == MASKED else "accuracy"
    shares = {"held-out": history.held_out, "training": history.accuracy}
    losses = {"held-out": history.held_out_loss, "training": history.loss}
    found = [(f"{name}, {part}, last record", history.last(key), percent) for part, key in shares.items()]
    found += [(f"loss, {part}, last record", history.last(key), "{:.3f}".format) for part, key in losses.items()]
    return [(say(text), write(value)) for text, value, write in found if value is not None and isfinite(value)]


def _facts(numbers: list[tuple[str, str]]) -> str:
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in numbers)
    return f'<dl class="facts">{rows}</dl>'


def _figure(key: str, texts: tuple[str, str], picture: bytes, instead: str, say: Words) -> str:
    """A figure with its caption; ``instead`` says what it shows to those who do not see it."""
    title, caption = (say(text) for text in texts)
    data = b64encode(picture).decode("ascii")
    told = f"{title}{say('. ')}{instead}".strip()
    image = f'<img alt="{escape(told)}" src="data:image/svg+xml;base64,{data}">'
    return (
        f'<figure id="{key}"><div class="scroll">{image}</div>'
        f"<figcaption><b>{escape(title)}{say('.')}</b> {escape(caption)}</figcaption></figure>"
    )


def _table(table: Table) -> str:
    """A table; one of many columns takes the whole width."""
    head = ""
    if any(table.columns):
        head = (
            "<thead><tr>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns) + "</tr></thead>"
        )
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(map(_cell, cells))}</tr>' for name, *cells in table.rows
    )
    remark = f'<p class="remark">{escape(table.remark)}</p>' if table.remark else ""
    kind = "table wide" if _is_wide(table) else "table"
    return (
        f'<section class="{kind}"><h3>{escape(table.title)}</h3><div class="scroll"><table>{head}<tbody>{body}</tbody>'
        f"</table></div>{remark}</section>"
    )


def _is_wide(table: Table) -> bool:
    return len(table.columns) > 4


def _cell(text: str) -> str:
    """A cell; a number or a word is not broken."""
    kind = ' class="short"' if len(text) <= LONGEST_UNBROKEN else ""
    return f"<td{kind}>{escape(text)}</td>"
