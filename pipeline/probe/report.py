"""The measures of one model as lines to read."""

from __future__ import annotations

from pipeline.probe.measures import BETAS, GAMMAS, Probe, Vectors
from pipeline.words import Words


def report(found: Probe, say: Words) -> list[str]:
    """What was measured, line by line."""
    kind = "masked" if found.objective == "masked_lm" else "causal"
    title = say(
        f"{{model}}: {kind} language model, {{parameters:,d}} parameters",
        model=found.model,
        parameters=found.parameters,
    )
    lines = [title + (say(", step {step:,d}", step=found.step) if found.step is not None else "")]
    reach = found.predictability
    lines.append(
        say("tokens that can never be predicted: {never:,d} of {tokens:,d}", never=reach.never, tokens=reach.tokens)
        + say(
            " ({undecided:,d} undecided; a linear programme was asked about {asked:,d})",
            undecided=reach.undecided,
            asked=reach.by_programme,
        )
    )
    if reach.examples:
        lines.append(say("  such as {examples}", examples=" ".join(reach.examples)))
    if found.vectors:
        lines += _vectors(found.vectors, say)
    if found.embeddings:
        rank = found.embeddings.rank_correlation
        lines.append(
            say(
                "embedding rows: mean length {norm:.3f}, mean cosine {cosine:.3f}, "
                "Spearman of length and frequency {rank}",
                norm=found.embeddings.mean_norm,
                cosine=found.embeddings.mean_cosine,
                rank=say("not defined") if rank is None else f"{rank:.3f}",
            )
        )
    lines += _layers(found, say)
    if found.half_precision:
        lines.append(say("gradient in float16, shares of the nonzero entries by loss scale:"))
        lines += [
            say(
                "  {scale:>12,.0f}  lost {lost:7.3f} %  subnormal {coarse:7.3f} %  overflowed {overflowed:7.3f} %",
                scale=round(each.scale),
                lost=100 * each.lost,
                coarse=100 * each.coarse,
                overflowed=100 * each.overflowed,
            )
            for each in found.half_precision
        ]
    if found.cost:
        cost = found.cost
        lines.append(
            say(
                "forward and backward: {flops:.3g} operations for {tokens:,d} tokens in {seconds:.3f} s, "
                "{rate:.1f} GFLOP/s",
                flops=cost.flops,
                tokens=cost.tokens,
                seconds=cost.seconds,
                rate=cost.flops / cost.seconds / 1e9,
            )
        )
    if not found.layers:
        what = say("vectors, gradients, attention and time were not measured")
        lines.append(say("without text ({what}); give --dataset", what=what))
    return lines


def _vectors(vectors: Vectors, say: Words) -> list[str]:
    lines = [
        say(
            "sentence vectors ({sentences:,d}): mean cosine {cosine:.3f}, effective rank {rank:.1f} of {width:d}",
            sentences=vectors.sentences,
            cosine=vectors.mean_cosine,
            rank=vectors.effective_rank,
            width=vectors.width,
        ),
        say(
            "next sentence found among {candidates:,d} (chance {chance:.2f} %), by beta and gamma:",
            candidates=vectors.candidates,
            chance=100 / vectors.candidates,
        ),
    ]
    for beta in BETAS:
        shares = [
            say("gamma {gamma:g}: {share:.1f} %", gamma=gamma, share=100 * vectors.at(beta, gamma)) for gamma in GAMMAS
        ]
        lines.append(say("  beta {beta:<4g} {shares}", beta=beta, shares="  ".join(shares)))
    return lines


def _layers(found: Probe, say: Words) -> list[str]:
    if not found.layers or not found.attention_entropy:
        return []
    lines = [say("layer    stream  attention  feed-forward  gradient  weights' gradient  attention entropy")]
    for number, (layer, entropy) in enumerate(zip(found.layers, found.attention_entropy, strict=True), start=1):
        lines.append(
            f"{number:>5d}  {layer.stream:>8.3f}  {layer.attention:>9.3f}  {layer.feed_forward:>12.3f}"
            f"  {layer.stream_gradient:>8.2e}  {layer.weight_gradient:>17.2e}  {entropy:>17.3f}"
        )
    return lines
