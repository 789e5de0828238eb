"""Note 4, mixed precision: the formats code by code, our own gradients, and the arithmetic of speed-ups."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.data.pairing import NO_PAIR
from pipeline.data.tokenizer import Tokenizer
from pipeline.model.bert import Bert, Shape, to_device
from pipeline.model.loss import RunningTotals, at_least_float32
from pipeline.probe.half_precision import half_shares
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import Settings
from tests.helpers.tiny import ROOT, tiny_dataset

CPU = torch.device("cpu")
LOG = (ROOT / "docs" / "LOG.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def corpus() -> PairCorpus:
    dataset = tiny_dataset()
    return PairCorpus(dataset.sentences, dataset.documents, Tokenizer(dataset.vocab), 32, 0.15, True)


def deep_bert(corpus: PairCorpus, layers: int = 12, width: int = 128) -> Bert:
    torch.manual_seed(0)
    return Bert(Shape(corpus.vocab_size, layers, width, 2, 4 * width, 128, 0.0, 0.0, 0.02, "bert"))


def loss_of(model: Bert, corpus: PairCorpus) -> Tensor:
    inputs = to_device(TrainingBatches(corpus, 32, 1)[1], 2, CPU)
    mlm, nsp = model(inputs)
    return F.cross_entropy(mlm, inputs.labels) + F.cross_entropy(nsp, inputs.next_labels, ignore_index=NO_PAIR)


@pytest.fixture(scope="module")
def deep(corpus) -> Bert:
    model = deep_bert(corpus)
    loss_of(model, corpus).backward()
    return model


def decoded(dtype: torch.dtype, exponent_bits: int, p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(value by torch, value by the definition, exponent code) of every finite code."""
    codes = np.arange(2**16)
    sign, exponent, fraction = codes >> 15, codes >> p & (2**exponent_bits - 1), codes & (2**p - 1)
    finite = exponent < 2**exponent_bits - 1
    bias = 2 ** (exponent_bits - 1) - 1
    normal = 2.0 ** (exponent - bias) * (1 + fraction / 2**p)
    subnormal = 2.0 ** (1 - bias) * fraction / 2**p
    value = np.where(sign == 1, -1.0, 1.0) * np.where(exponent == 0, subnormal, normal)
    stored = torch.from_numpy(codes.astype(np.uint16).view(np.int16)).view(dtype).double().numpy()
    return stored[finite], value[finite], exponent[finite]


@pytest.mark.parametrize(("dtype", "bits", "p"), [(torch.float16, 5, 10), (torch.bfloat16, 8, 7)])
def test_eq_01_every_code_of_float16_and_bfloat16(dtype, bits, p):
    stored, value, exponent = decoded(dtype, bits, p)
    assert (exponent > 0).sum() > 60_000
    np.testing.assert_array_equal(stored[exponent > 0], value[exponent > 0])


def test_eq_02_subnormals_fill_the_gap():
    stored, value, exponent = decoded(torch.float16, 5, 10)
    small = exponent == 0
    assert small.sum() == 2048
    np.testing.assert_array_equal(stored[small], value[small])
    positive = np.sort(value[small & (value > 0)])
    np.testing.assert_array_equal(np.diff(positive), 2.0**-24)


def test_eq_03_limits_of_the_formats():
    for dtype, bits, p in ((torch.float16, 5, 10), (torch.bfloat16, 8, 7), (torch.float32, 8, 23)):
        info, bias = torch.finfo(dtype), 2 ** (bits - 1) - 1
        assert info.max == (2 - 2.0**-p) * 2.0**bias
        assert info.smallest_normal == 2.0 ** (1 - bias)
        least = torch.tensor(2.0 ** (1 - bias - p), dtype=torch.float64)
        assert least.to(dtype) > 0
        assert (least / 2).to(dtype) == 0
    assert torch.finfo(torch.float16).max == 65504
    assert f"{2.0**-24:.2e} {2.0**-14:.2e} {2.0**-133:.2e} {2.0**-149:.2e}" == "5.96e-08 6.10e-05 9.18e-41 1.40e-45"


def test_eq_04_rounding_is_relative():
    x = torch.from_numpy(np.exp(np.random.default_rng(0).uniform(-8, 8, 100_000)))
    for dtype, p in ((torch.float16, 10), (torch.bfloat16, 7), (torch.float32, 23)):
        error = ((x.to(dtype).double() - x) / x).abs()
        assert 2.0 ** (-p - 1) * 0.95 < error.max() <= 2.0 ** (-p - 1)


def test_eq_05_unit_roundoffs():
    for dtype, u in ((torch.float16, 4.9e-4), (torch.bfloat16, 3.9e-3), (torch.float32, 6.0e-8)):
        assert torch.finfo(dtype).eps / 2 == pytest.approx(u, rel=0.02)
        one = torch.ones((), dtype=torch.float64)
        assert (one + torch.finfo(dtype).eps / 2).to(dtype) == 1 < (one + torch.finfo(dtype).eps).to(dtype)


def test_eq_06_half_of_the_smallest_becomes_zero():
    edge = 2.0**-25
    values = torch.tensor([edge, -edge, float(np.nextafter(np.float32(edge), np.float32(1)))])
    assert (values.to(torch.float16) == 0).tolist() == [True, True, False]


def summed(x: Tensor, y: Tensor, dtype: torch.dtype) -> Tensor:
    """Dot products of rows, one product and one sum after the other, all in ``dtype``."""
    total = torch.zeros(len(x), dtype=dtype)
    for i in range(x.shape[1]):
        total = total + x[:, i].to(dtype) * y[:, i].to(dtype)
    return total.double()


def pairs(count: int, length: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    x, y = (torch.randn(count, length, generator=random).to(dtype).double() for _ in range(2))
    return x, y


def test_eq_07_worst_case_of_a_dot_product():
    for length in (8, 64, 100):
        x, y = pairs(500, length, torch.bfloat16)
        error = (summed(x, y, torch.bfloat16) - (x * y).sum(1)).abs()
        u = 2.0**-8
        assert (error <= length * u / (1 - length * u) * (x * y).abs().sum(1)).all()
        assert error.max() > u * (x * y).abs().sum(1).mean() / 8


def test_eq_08_typical_error_grows_with_the_root():
    errors = []
    for length in (64, 1024):
        x, y = pairs(3000, length, torch.float16)
        spread = (x * y).square().sum(1).sqrt()  # the size of the sum itself
        errors.append(((summed(x, y, torch.float16) - (x * y).sum(1)) / spread).square().mean().sqrt().item())
    assert 3 < errors[1] / errors[0] < 5.5  # sixteen times as long: 4, not 16


def test_eq_09_half_inputs_with_float32_sums():
    random = torch.Generator().manual_seed(1)
    x, y = torch.rand(50, 4096, generator=random).double(), torch.rand(50, 4096, generator=random).double()
    exact = (x * y).sum(1)
    stuck = summed(x, y, torch.bfloat16)
    assert stuck.max() <= 512
    assert exact.min() > 900
    mixed = (x.bfloat16().float() * y.bfloat16().float()).sum(1).double()
    assert ((mixed - exact) / exact).abs().max() < 2 * 2.0**-8
    assert ((mixed - exact) / exact).abs().mean() < 1e-4


@pytest.mark.parametrize(("dtype", "p"), [(torch.bfloat16, 7), (torch.float16, 10), (torch.float32, 23)])
def test_eq_10_small_updates_vanish(dtype, p):
    w = torch.tensor(np.random.default_rng(0).uniform(0.01, 1, 1000)).to(dtype)
    step = w.double() * 2.0 ** (-p - 2) * 0.999
    assert ((w.double() + step).to(dtype) == w).all()
    assert ((w.double() + w.double() * 2.0 ** (-p) * 1.001).to(dtype) > w).all()
    walked = torch.tensor(0.02).to(dtype)
    for _ in range(1000):
        walked = walked + torch.tensor(1e-5).to(dtype)
    moved = walked.item() - torch.tensor(0.02).to(dtype).item()
    assert moved == (0 if dtype == torch.bfloat16 else pytest.approx(0.01, rel=0.3))


def test_eq_11_sixteen_bytes_a_parameter(corpus):
    model = deep_bert(corpus, 1, 16)
    optimizer = Optimizer(model, Settings())
    loss_of(model, corpus).backward()
    kept = sum(p.numel() * 4 + p.grad.numel() * 4 for p in model.parameters() if p.grad is not None)
    optimizer.parts[0].step()
    kept += sum(v.numel() * 4 for state in optimizer.parts[0].state.values() for v in state.values() if v.dim())
    assert kept == 16 * sum(p.numel() for p in model.parameters())
    assert round(16 * 48_399_176 / 1e6) == 774


def test_eq_12_scaling_the_loss_scales_the_gradient(corpus, deep):
    model = copy.deepcopy(deep).double()
    gradients = []
    for scale in (1.0, 3.7):
        model.zero_grad()
        (scale * loss_of(model, corpus)).backward()
        gradients.append(torch.cat([p.grad.flatten() / scale for p in model.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-14)


def test_eq_13_powers_of_two_are_exact(corpus, deep):
    model = copy.deepcopy(deep)
    model.zero_grad()
    (65536 * loss_of(model, corpus)).backward()
    for scaled, plain in zip(model.parameters(), deep.parameters(), strict=True):
        assert torch.equal(scaled.grad / 65536, plain.grad)
    model.zero_grad()
    (3.7 * loss_of(model, corpus)).backward()
    others = [torch.equal(a.grad / 3.7, b.grad) for a, b in zip(model.parameters(), deep.parameters(), strict=True)]
    assert not all(others)


def test_eq_14_the_window_of_scales():
    gradient = torch.tensor([1e-6, 0.3])
    for scale, inside in ((0.02, False), (0.06, True), (200_000, True), (220_000, False)):
        [found] = half_shares([gradient], [scale])
        assert (found.lost == found.overflowed == 0) == inside
    low, high = 2.0**-24 / 1e-6, 65504 / 0.3
    assert (round(low, 2), int(high)) == (0.06, 218_346)


def test_eq_14_table_of_our_gradients(deep):
    gradients = [p.grad for p in deep.parameters()]
    assert round(sum(int((g != 0).sum()) for g in gradients) / 1e4, 1) == pytest.approx(242.5, abs=0.1)
    table = {
        1: (0.14, 31.9, 0),
        16: (0.07, 9.0, 0),
        256: (0.06, 0.63, 0),
        4096: (0.06, 0.04, 0),
        65536: (0.03, 0.03, 0),
        2**20: (0.001, 0.06, 0.015),
        2**24: (0, 0.06, 1.1),
    }
    for found in half_shares(gradients, list(table)):
        lost, coarse, overflowed = table[int(found.scale)]
        assert 100 * found.lost == pytest.approx(lost, abs=0.006)
        assert 100 * found.coarse == pytest.approx(coarse, rel=0.02, abs=0.006)
        assert 100 * found.overflowed == pytest.approx(overflowed, rel=0.05, abs=0.001)


def test_eq_15_forty_binary_orders():
    half = torch.finfo(torch.float16)
    assert math.log2(half.max / (half.smallest_normal * half.eps)) == pytest.approx(40, abs=0.01)


def test_eq_16_the_key_bias_has_no_gradient(corpus, deep):
    model = copy.deepcopy(deep).double()
    model.zero_grad()
    loss_of(model, corpus).backward()
    for layer in model.layers:
        query, key, value = layer.query_key_value.bias.grad.view(3, 128)
        assert key.abs().max() < 1e-15 < 1e-9 < min(query.abs().max(), value.abs().max())
    of_keys = torch.cat([layer.query_key_value.bias.grad.view(3, 128)[1] for layer in deep.layers])
    assert (of_keys.half() == 0).all()
    total = sum(int((p.grad != 0).sum()) for p in deep.parameters())
    assert (len(of_keys), round(100 * len(of_keys) / total, 3)) == (1536, 0.063)
    with torch.no_grad():
        before = loss_of(model, corpus)
        for layer in model.layers:
            layer.query_key_value.bias[128:256] += 5 * torch.randn(128).double()
        assert loss_of(model, corpus).item() == pytest.approx(before.item(), abs=1e-12)


@pytest.mark.parametrize(("interval", "share"), [(2000, 0.0005), (10, 0.0909)])
def test_eq_17_dynamic_scaling_skips_one_step_in_n_plus_one(interval, share):
    scale, tracker = torch.tensor(65536.0), torch.tensor(0, dtype=torch.int32)
    steps, skipped, largest = 20 * (interval + 1), 0, 65536.0
    for _ in range(steps):
        overflow = torch.tensor(float(scale > largest))
        skipped += int(overflow)
        torch._amp_update_scale_(scale, tracker, overflow, 2.0, 0.5, interval)
    assert skipped / steps == pytest.approx(1 / (interval + 1), rel=0.06)
    assert 1 / (interval + 1) == pytest.approx(share, abs=5e-5)


def test_eq_18_clipping_before_unscaling_is_wrong():
    scale, gradients = 65536.0, []
    for order in ("right", "wrong"):
        weight = torch.nn.Parameter(torch.zeros(4))
        weight.grad = scale * torch.tensor([3.0, 0.0, 4.0, 0.0])
        if order == "right":
            weight.grad /= scale
        torch.nn.utils.clip_grad_norm_([weight], 1.0)
        if order == "wrong":
            weight.grad /= scale
        gradients.append(weight.grad.norm().item())
    assert gradients[0] == pytest.approx(1)
    assert gradients[1] == pytest.approx(1 / scale)
    assert 1 / scale == pytest.approx(1.5e-5, rel=0.02)


def test_eq_19_exponentials_overflow():
    assert math.log(65504) == pytest.approx(11.09, abs=0.001)
    scores = torch.tensor([11.0, 11.2], dtype=torch.float64)
    assert scores.exp().half().isinf().tolist() == [False, True]
    shifted = (scores - scores.max()).exp().half()
    assert (shifted.double() / shifted.double().sum() - scores.softmax(0)).abs().max() < 1e-3


def test_eq_20_squares_overflow():
    x = torch.tensor([255.0, 256.0]).half()
    assert (x * x).isinf().tolist() == [False, True]
    assert math.sqrt(65504) == pytest.approx(255.9, abs=0.05)


def test_eq_21_a_coarse_loss_is_avoided(corpus):
    grid = torch.arange(9, 9.5, 0.001).bfloat16().double().unique()
    assert (grid.diff() == 0.0625).all()
    model = deep_bert(corpus, 1, 16)
    inputs = to_device(TrainingBatches(corpus, 32, 1)[1], 2, CPU)
    mlm, nsp = model(inputs)
    totals = RunningTotals(np.zeros(corpus.vocab_size, bool), CPU)
    loss, _ = totals.add(mlm.bfloat16(), nsp.bfloat16(), inputs)
    assert loss.dtype == at_least_float32(mlm.bfloat16()).dtype == torch.float32


def amdahl(*parts: tuple[float, float]) -> float:
    """Speed-up where each (share, factor) of the time is that many times as fast and the rest stays."""
    rest = 1 - sum(share for share, _ in parts)
    return 1 / (rest + sum(share / factor for share, factor in parts))


def test_eq_22_amdahl():
    # Ten tasks of equal length, seven of them four times as fast.
    assert amdahl((0.7, 4)) == pytest.approx(10 / (3 + 7 / 4))
    assert amdahl((0.7, 1e12)) == pytest.approx(1 / 0.3)


def test_eq_23_what_amdahl_allowed_us():
    for row in (
        "| fp32, 9 rounds | 1,093 |",
        "| 324 GFLOP/s | 78 % |",
        "| bf16, 5 rounds | 2,190 |",
        "| 1,393 | 35 % |",
    ):
        assert row in LOG
    factor = 1393 / 324
    assert round(factor, 2) == 4.30
    assert round(amdahl((0.78, factor)), 2) == 2.49
    assert round(1 / 0.22, 1) == 4.5
    assert round(2190 / 1093, 2) == 2.00


def test_eq_24_what_the_conversions_cost():
    rest = 0.65 * 1093 / 2190
    assert round(rest, 2) == 0.32
    products = 0.35 * 1093 / 2190
    assert products == pytest.approx(0.78 / (1393 / 324), abs=0.01)  # the figures agree with each other
    assert "97 ms a step against 60 in fp32" in LOG


def test_eq_26_intensity_of_products():
    def intensity(m: int, k: int, n: int, size: int) -> float:
        a, b = torch.empty(m, k, device="meta"), torch.empty(k, n, device="meta")
        return 2 * m * k * n / (size * (a.numel() + b.numel() + (a @ b).numel()))

    assert round(intensity(1400, 512, 2048, 4)) == 158
    assert round(intensity(1000, 128, 512, 4)) == 46
    assert intensity(300, 300, 300, 2) == pytest.approx(2 * 300 / (3 * 2))
    assert intensity(300, 300, 300, 2) == 2 * intensity(300, 300, 300, 4)


def test_eq_27_fusion_moves_fewer_bytes():
    """Bytes read and written by a chain of elementwise operations, as torch runs them and as one pass would."""
    moved = 0
    x = torch.randn(1000)
    start = x
    for operation in (torch.tanh, torch.exp, torch.neg, torch.abs):
        y = operation(x)
        moved += x.nbytes + y.nbytes
        x = y
    assert moved == 2 * 4 * 1000 * 4
    assert moved / (start.nbytes + x.nbytes) == 4


def test_eq_29_when_compilation_pays():
    for words in ("40 s to compile, then 64 ms a step against 60", "5 minutes to compile", "medians 7.3 against 7.7 s"):
        assert words in " ".join(LOG.split())
    assert round(300 / (7.7 - 7.3)) == 750


def test_eq_30_two_remedies_together():
    both = amdahl((0.78, 4.3), (0.15, 3))
    assert round(both, 1) == 3.3
    assert (round(amdahl((0.78, 4.3)), 1), round(amdahl((0.15, 3)), 1)) == (2.5, 1.1)
    product = amdahl((0.78, 4.3)) * amdahl((0.15, 3))
    assert round(product, 1) == 2.8
    assert both > product
