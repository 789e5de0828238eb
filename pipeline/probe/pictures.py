"""The measures of one model, or of a run's checkpoints along its steps, as a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.figures import style
from pipeline.probe.embeddings import Embeddings
from pipeline.probe.measures import BETAS, GAMMAS, Probe
from pipeline.words import Words

SHADES = (style.TRAINING, style.HELD_OUT, style.HAN, style.BEFORE_LINE, style.OTHER, style.CURVE)
MARKS = ("o", "s", "^", "D", "v", "P")


def figure(found: Sequence[Probe], say: Words) -> Figure | None:
    """Of one model its layers, gradient, embedding and vectors; of several their course.

    None where a single model was probed without text.
    """
    if len(found) > 1:
        return dynamics(found, say)
    [one] = found
    if not (one.layers and one.attention_entropy and one.half_precision and one.embeddings):
        return None
    drawn, panels = style.new_figure(2, 3, 14, 8.4)
    branches, gradient, half, norms, cosines, retrieval = panels
    layers = range(1, len(one.layers) + 1)

    branches.set_title(say("Branches beside the stream"))
    _curve(branches, layers, [layer.attention / layer.stream for layer in one.layers], say("attention"), 0)
    _curve(branches, layers, [layer.feed_forward / layer.stream for layer in one.layers], say("feed-forward"), 1)
    _axes(branches, say("layer"), say("root mean square over the stream's"), layers)

    gradient.set_title(say("Gradient and attention entropy"))
    last = one.layers[-1].stream_gradient or 1.0
    _curve(gradient, layers, [layer.stream_gradient / last for layer in one.layers], say("gradient of the stream"), 0)
    _curve(gradient, layers, one.attention_entropy, say("attention entropy"), 1)
    _axes(gradient, say("layer"), say("over that of the last layer; entropy over even attention"), layers)

    half.set_title(say("Gradient in float16"))
    scales = [each.scale for each in one.half_precision]
    for place, (name, values) in enumerate(
        {
            "lost": [each.lost for each in one.half_precision],
            "subnormal": [each.coarse for each in one.half_precision],
            "overflowed": [each.overflowed for each in one.half_precision],
        }.items()
    ):
        _curve(half, scales, values, say(name), place)
    half.set_xscale("log", base=2)
    style.percent_axis(half, say("share of the nonzero entries"))
    half.set_xlabel(say("loss scale"))

    _by_frequency(norms, one.embeddings, say)
    cosines.set_title(say("Embedding rows by frequency"))
    tenths = range(1, len(one.embeddings.tenths) + 1)
    _curve(cosines, tenths, [each.cosine for each in one.embeddings.tenths], say("cosine with the mean row"), 1)
    _axes(cosines, say("tenth of the tokens, rarest first"), say("cosine with the mean row"), tenths)

    retrieval.set_title(say("Next sentence found"))
    if one.vectors:
        for place, beta in enumerate(BETAS):
            shares = [one.vectors.at(beta, gamma) for gamma in GAMMAS]
            _curve(retrieval, GAMMAS, shares, say("beta {beta:g}", beta=beta), place)
        retrieval.axhline(1 / one.vectors.candidates, color=style.QUIET, linestyle=":", label=say("chance"))
    style.percent_axis(retrieval, say("share of sentences"))
    retrieval.set_xlabel(say("gamma"))
    for panel in panels:
        _key(panel)
    return drawn


def dynamics(found: Sequence[Probe], say: Words) -> Figure:
    """Along the steps of the checkpoints ``found``."""
    drawn, panels = style.new_figure(2, 3, 14, 8.4)
    out, isotropy, retrieval, entropy, half, norms = panels

    def course(axes: Axes, value: Callable[[Probe], float | None], label: str, place: int) -> None:
        points = [(each.step, value(each)) for each in found if each.step is not None]
        known = [(step, number) for step, number in points if number is not None]
        _curve(axes, [step for step, _ in known], [number for _, number in known], label, place)

    out.set_title(say("Tokens out of reach"))
    course(out, lambda each: each.predictability.never, say("never predicted"), 0)
    course(out, lambda each: each.predictability.undecided, say("undecided"), 1)
    out.set_ylabel(say("tokens"))
    out.set_ylim(bottom=0, top=max(1.0, out.get_ylim()[1]))
    out.yaxis.set_major_locator(MaxNLocator(integer=True))

    isotropy.set_title(say("Isotropy of sentence vectors"))
    course(isotropy, lambda each: each.vectors.mean_cosine if each.vectors else None, say("mean cosine"), 0)
    course(
        isotropy,
        lambda each: each.vectors.effective_rank / each.vectors.width if each.vectors else None,
        say("effective rank over width"),
        1,
    )

    retrieval.set_title(say("Next sentence found"))
    course(retrieval, lambda each: each.vectors.at(0, 0) if each.vectors else None, say("as they are"), 0)
    course(retrieval, lambda each: each.vectors.at(1, 1) if each.vectors else None, say("whitened"), 1)
    style.percent_axis(retrieval, say("share of sentences"))

    entropy.set_title(say("Attention entropy"))
    for number in range(len(found[0].attention_entropy or [])):
        course(entropy, partial(_entropy, number), say("layer {number:d}", number=number + 1), number)
    entropy.set_ylabel(say("over even attention"))

    half.set_title(say("Gradient lost in float16 without a loss scale"))
    course(half, lambda each: each.half_precision[0].lost if each.half_precision else None, say("lost"), 0)
    course(
        half,
        lambda each: each.half_precision[0].lost + each.half_precision[0].coarse if each.half_precision else None,
        say("lost or subnormal"),
        1,
    )
    style.percent_axis(half, say("share of the nonzero entries"))

    norms.set_title(say("Length of embedding rows"))
    course(norms, lambda each: each.embeddings.tenths[0].norm if each.embeddings else None, say("rarest tenth"), 0)
    course(norms, lambda each: each.embeddings.tenths[-1].norm if each.embeddings else None, say("commonest tenth"), 1)
    course(
        norms,
        lambda each: each.embeddings.unseen.norm if each.embeddings and each.embeddings.unseen else None,
        say("never seen"),
        2,
    )
    last = max((each.step or 0) for each in found)
    for panel in panels:
        style.step_axis(panel, last, say("optimizer step"))
        _key(panel)
    return drawn


def _entropy(layer: int, one: Probe) -> float | None:
    return one.attention_entropy[layer] if one.attention_entropy else None


def _by_frequency(axes: Axes, rows: Embeddings, say: Words) -> None:
    axes.set_title(say("Length of embedding rows"))
    tenths = range(1, len(rows.tenths) + 1)
    _curve(axes, tenths, [each.norm for each in rows.tenths], say("length of a row"), 0)
    if rows.unseen:
        axes.axhline(rows.unseen.norm, color=style.QUIET, linestyle=":", label=say("never seen"))
    _axes(axes, say("tenth of the tokens, rarest first"), say("length of a row"), tenths)


def _curve(axes: Axes, x: Sequence[float], y: Sequence[float], label: str, place: int) -> None:
    shade, mark = SHADES[place % len(SHADES)], MARKS[place % len(MARKS)]
    axes.plot(x, y, color=shade, marker=mark, markersize=4, label=label)


def _axes(axes: Axes, x: str, y: str, ticks: range) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xticks(list(ticks)[:: max(1, len(ticks) // 12)])
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))


def _key(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=style.LABEL_SIZE)
