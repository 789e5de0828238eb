"""How symbols are drawn, and that a text that outgrows the context goes on."""

from itertools import islice

import pytest
import torch

from pipeline.model.gpt import Gpt
from pipeline.model.sampling import Sampling, generate
from tests.model.test_gpt import SMALL

LOGITS = torch.tensor([0.1, 0.4, 0.2, 0.3]).log()


def shares(sampling, draws=4000):
    random = torch.Generator().manual_seed(0)
    drawn = torch.tensor([sampling.draw(LOGITS.clone(), random) for _ in range(draws)])
    return (drawn.bincount(minlength=4) / draws).tolist()


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(), [0.1, 0.4, 0.2, 0.3]),
        (Sampling(temperature=0.5), [1 / 30, 16 / 30, 4 / 30, 9 / 30]),
        (Sampling(top_k=2), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(top_p=0.71), [0, 4 / 9, 2 / 9, 3 / 9]),
        (Sampling(top_p=0.69), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(top_p=0.01), [0, 1, 0, 0]),
    ],
)
def test_shares_of_what_is_drawn(sampling, expected):
    """Within five standard deviations of a share among 4,000 draws."""
    assert shares(sampling) == pytest.approx(expected, abs=0.04)
    assert [share == 0 for share in shares(sampling, 100)] == [share == 0 for share in expected]


def test_temperature_0_takes_the_likeliest():
    assert shares(Sampling(temperature=0), 20) == [0, 1, 0, 0]


@pytest.mark.parametrize("start", [1, 5, 16])
def test_the_uncached_model_would_write_the_same(start):
    """Beyond the context of 16 it goes on from the last 8."""
    torch.manual_seed(3)
    model = Gpt(SMALL).double().eval()
    text = list(range(2, 2 + start))
    written = list(islice(generate(model, text, 16, Sampling(temperature=0), torch.Generator(), [0]), 40))
    seen, begin = list(text), 0
    for symbol in written:
        logits = model(torch.tensor([seen[begin:]]))[0, -1]
        logits[0] = -torch.inf
        assert symbol == int(logits.argmax())
        if len(seen) - begin == 16:
            begin = len(seen) + 1 - 8
        seen.append(symbol)


def test_the_seed_decides():
    model = Gpt(SMALL).eval()
    texts = [
        list(islice(generate(model, [1], 16, Sampling(), torch.Generator().manual_seed(seed), [0]), 30))
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]
    assert 0 not in texts[0] + texts[2]
