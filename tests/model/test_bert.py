import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches, split_batch
from pipeline.data.tokenizer import Tokenizer
from pipeline.model import dropout
from pipeline.model.attention import _FromGrid, _ToGrid, lay_out, self_attention
from pipeline.model.bert import Bert, Shape, to_device
from pipeline.model.loss import RunningTotals
from tests.helpers.tiny import tiny_dataset

CPU = torch.device("cpu")
SMALL = Shape(
    vocab_size=60, layers=2, hidden=16, heads=2, ffn=32, max_positions=32, dropout=0.0, attention_dropout=0.0,
    init_std=0.2, head="bert",
)  # fmt: skip


@pytest.fixture(scope="module")
def batches():
    dataset = tiny_dataset()
    tokenizer = Tokenizer(dataset.vocab)
    corpus = PairCorpus(dataset.sentences, dataset.documents, tokenizer, 32, 0.15, True)
    return TrainingBatches(corpus, 8, 42)


def test_published_parameter_count():
    """10,049 characters and 5 specials with bare heads: the published 48.40M."""
    shape = Shape(
        vocab_size=10_054, layers=12, hidden=512, heads=8, ffn=2048, max_positions=512, dropout=0.1,
        attention_dropout=0.1, init_std=0.02, head="linear",
    )  # fmt: skip
    with torch.device("meta"):
        model = Bert(shape)
    assert sum(parameter.numel() for parameter in model.parameters()) == 48_399_176


@pytest.mark.parametrize("head", ["bert", "linear"])
def test_packed_equals_padded_one_by_one(batches, head):
    """A sequence scores the same alone as packed beside others: padding and neighbours leak nothing."""
    torch.manual_seed(0)
    shape = dataclasses.replace(SMALL, vocab_size=batches.corpus.vocab_size, head=head)
    model = Bert(shape).double().eval()
    batch = batches[1]
    mlm, nsp = model(to_device(batch, 2, CPU))
    alone = [model(to_device(part, 2, CPU)) for part in split_batch(batch, len(batch.lengths))]
    order = np.argsort(batch.lengths, kind="stable")
    torch.testing.assert_close(torch.cat([two for _, two in alone]), nsp[order])
    sequence = np.repeat(np.arange(len(batch.lengths)), batch.lengths)[batch.targets]
    expected = torch.cat([mlm[torch.from_numpy(sequence == number)] for number in order])
    torch.testing.assert_close(torch.cat([one for one, _ in alone]), expected)


def test_matches_a_plain_implementation(batches):
    """The same weights in textbook form, one sequence at a time, with explicit softmax attention."""
    torch.manual_seed(0)
    model = Bert(dataclasses.replace(SMALL, vocab_size=batches.corpus.vocab_size)).double().eval()
    part = split_batch(batches[2], 8)[5]
    inputs = to_device(part, 2, CPU)
    x = model.token_embedding.weight[inputs.tokens] + model.position_embedding.weight[: len(inputs.tokens)]
    x = model.embedding_norm(x + model.segment_embedding.weight[inputs.segments])
    for layer in model.layers:
        q, k, v = layer.query_key_value(x).view(len(x), 3, 2, 8).permute(1, 2, 0, 3)
        weights = torch.softmax(q @ k.mT / 8**0.5, dim=-1)
        x = layer.attention_norm(x + layer.attention_output((weights @ v).permute(1, 0, 2).reshape(len(x), 16)))
        x = layer.output_norm(x + layer.down(F.gelu(layer.up(x))))
    mlm = model.transform_norm(F.gelu(model.transform(x[inputs.targets]))) @ model.token_embedding.weight.T
    nsp = model.next_sentence(torch.tanh(model.pooler(x[:1])))
    got_mlm, got_nsp = model(inputs)
    torch.testing.assert_close(got_mlm, mlm + model.decoder.bias)
    torch.testing.assert_close(got_nsp, nsp)


def test_gradients_through_the_grid():
    """Rows 0..2 stand at places 4, 0 and 2 of a grid of 5; the other places may hold any row and pass nothing back."""
    places, fill = torch.tensor([4, 0, 2]), torch.tensor([1, 0, 2, 0, 0])
    real = torch.tensor([1.0, 0, 1, 0, 1], dtype=torch.float64)[:, None]
    rows = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    grid = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda r: _ToGrid.apply(r, fill, places) * real, rows)
    assert torch.autograd.gradcheck(lambda g: _FromGrid.apply(g, places), grid)


def test_attention_written_out_for_the_cpu():
    """The library's without dropout; with it, right in the mean; and with the gradient that autograd would find."""
    torch.manual_seed(0)
    heads, width = 2, 4
    lengths = np.array([5, 3, 6])
    grids = lay_out(lengths, heads, 2)
    grids = [grid._replace(mask=grid.mask.double()) for grid in grids]
    packed = torch.randn(lengths.sum(), 3 * heads * width, dtype=torch.float64, requires_grad=True)

    def attended(values, probability):
        return self_attention(values, grids, heads, probability)

    exact = []
    for sequence in packed.split(lengths.tolist()):
        query, key, value = sequence.view(-1, 3, heads, width).permute(1, 2, 0, 3)
        found = F.scaled_dot_product_attention(query, key, value)
        exact.append(found.transpose(0, 1).reshape(len(sequence), -1))
    exact = torch.cat(exact)
    assert torch.allclose(attended(packed, 0.0), exact, atol=1e-12)
    compiled = torch.compile(attended, backend="eager", dynamic=True)  # not the Function for the CPU, but the library's
    assert torch.allclose(compiled(packed, 0.0), exact, atol=1e-12)
    assert torch.autograd.gradcheck(lambda values: attended(values, 0.0), packed)
    dropout.seed(1)
    with torch.no_grad():
        drawn = torch.stack([attended(packed, 0.5) for _ in range(4000)])
    assert (drawn.mean(0) - exact).abs().max() < 0.1
    assert drawn.std(0).min() > 0.02

    def with_one_mask(values):
        dropout.seed(2)
        return attended(values, 0.5)

    assert torch.autograd.gradcheck(with_one_mask, packed)


def test_last_layer_on_the_tokens_read_alone(batches):
    """What it gives for them, and every gradient, is what it gives when all its tokens are computed."""
    torch.manual_seed(0)
    layer = Bert(dataclasses.replace(SMALL, vocab_size=batches.corpus.vocab_size)).double().eval().layers[-1]
    inputs = to_device(batches[3], 2, CPU)
    hidden = torch.randn(len(inputs.tokens), 16, dtype=torch.float64, requires_grad=True)
    read = torch.cat((inputs.targets, inputs.firsts))
    whole, part = layer(hidden, inputs)[read], layer(hidden, inputs, read)
    torch.testing.assert_close(part, whole)
    weights = torch.randn_like(whole)
    wanted = [hidden, *layer.parameters()]
    for a, b in zip(*(torch.autograd.grad((x * weights).sum(), wanted) for x in (whole, part)), strict=True):
        torch.testing.assert_close(a, b)


def test_masks_drop_as_often_as_asked():
    dropout.seed(3)
    mask = dropout.keep_mask(torch.Size((1000, 1001)), 0.1)
    assert (mask == 0).double().mean().item() == pytest.approx(0.1, abs=0.001)
    assert mask.max().item() == pytest.approx(1 / 0.9)
    dropout.seed(3)
    assert torch.equal(mask, dropout.keep_mask(torch.Size((1000, 1001)), 0.1))
    assert not torch.equal(mask, dropout.keep_mask(torch.Size((1000, 1001)), 0.1))


@pytest.mark.parametrize("accumulation", [1, 2, 4, 8])
def test_micro_batches_change_no_gradient(batches, accumulation):
    """The gradient of a whole optimizer step does not depend on how it is cut."""

    def gradient(parts):
        torch.manual_seed(0)
        model = Bert(dataclasses.replace(SMALL, vocab_size=batches.corpus.vocab_size)).double()
        totals = RunningTotals(np.zeros(batches.corpus.vocab_size, dtype=bool), CPU)
        targets = sum(len(part.labels) for part in parts)
        for part in parts:
            inputs = to_device(part, 2, CPU)
            mlm, nsp = totals.add(*model(inputs), inputs)
            (mlm / targets + nsp / 8).backward()
        return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])

    batch = batches[3]
    torch.testing.assert_close(gradient(split_batch(batch, accumulation)), gradient([batch]), rtol=1e-9, atol=1e-12)
