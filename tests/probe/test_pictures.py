"""The figures of the probe, read back from what was drawn."""

import dataclasses

import pytest

from pipeline.files.dataset import read_dataset
from pipeline.probe.measures import GAMMAS, probe, probe_text
from pipeline.probe.pictures import figure
from pipeline.probe.reading import read_subject
from pipeline.probe.report import report
from pipeline.probe.words import probe_words


@pytest.fixture(scope="module")
def found(masked_run, probed_dataset):
    return probe("m.pth", read_subject(masked_run / "final.pth"), probe_text(read_dataset(probed_dataset)))


def curves(axes) -> dict[str, list[float]]:
    return {line.get_label(): [float(y) for y in line.get_ydata()] for line in axes.lines}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_model(found, language):
    say = probe_words(language)
    branches, gradient, half, norms, cosines, retrieval = figure([found], say).axes
    assert curves(branches)[say("attention")] == [layer.attention / layer.stream for layer in found.layers]
    assert curves(branches)[say("feed-forward")] == [layer.feed_forward / layer.stream for layer in found.layers]
    last = found.layers[-1].stream_gradient
    assert curves(gradient)[say("gradient of the stream")] == [each.stream_gradient / last for each in found.layers]
    assert curves(gradient)[say("attention entropy")] == found.attention_entropy
    assert curves(half)[say("subnormal")] == [each.coarse for each in found.half_precision]
    assert curves(half)[say("overflowed")] == [each.overflowed for each in found.half_precision]
    assert curves(norms)[say("length of a row")] == [each.norm for each in found.embeddings.tenths]
    assert curves(cosines)[say("cosine with the mean row")] == [each.cosine for each in found.embeddings.tenths]
    expected = [found.vectors.at(1, gamma) for gamma in GAMMAS]
    assert curves(retrieval)[say("beta {beta:g}", beta=1.0)] == expected
    assert curves(retrieval)[say("chance")][0] == 1 / found.vectors.candidates


def test_along_the_steps(found):
    later = dataclasses.replace(
        found, step=20, predictability=dataclasses.replace(found.predictability, never=7), attention_entropy=[0.5, 0.25]
    )
    out, isotropy, retrieval, entropy, half, norms = figure([found, later], probe_words("en")).axes
    assert curves(out)["never predicted"] == [found.predictability.never, 7]
    assert curves(isotropy)["mean cosine"] == [found.vectors.mean_cosine] * 2
    assert curves(retrieval)["whitened"] == [found.vectors.at(1, 1)] * 2
    assert curves(entropy) == {
        "layer 1": [found.attention_entropy[0], 0.5],
        "layer 2": [found.attention_entropy[1], 0.25],
    }
    assert curves(half)["lost or subnormal"][0] == found.half_precision[0].lost + found.half_precision[0].coarse
    assert curves(norms)["commonest tenth"][1] == found.embeddings.tenths[-1].norm
    assert [float(x) for x in out.lines[0].get_xdata()] == [8, 20]


def test_without_text_there_is_nothing_to_draw(masked_run):
    bare = probe("m.pth", read_subject(masked_run / "final.pth"), None)
    assert figure([bare], probe_words("en")) is None
    assert "give --dataset" in report(bare, probe_words("en"))[-1]
    course = figure([bare, dataclasses.replace(bare, step=9)], probe_words("en"))
    assert curves(course.axes[0])["undecided"] == [0, 0]
