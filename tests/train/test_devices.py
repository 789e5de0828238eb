"""What must hold on whatever device trains. The CPU's half runs everywhere, that of CUDA with `make test-gpu`."""

import dataclasses
import math
import signal

import numpy as np
import pytest
import torch

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.data.tokenizer import Tokenizer
from pipeline.files.history import read_history
from pipeline.model.bert import Bert, to_device
from pipeline.model.loss import RunningTotals
from pipeline.model.precision import Precision
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import PRESETS
from tests.helpers import plain_bert as plain
from tests.helpers.stopping import signalled_at
from tests.helpers.tiny import TINY_SETTINGS, run_script, tiny_dataset, training_paths, write_tiny_dataset

NEEDS_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=NEEDS_CUDA)]
SETTINGS = dataclasses.replace(
    PRESETS["quickstart"], layers=3, hidden=64, heads=2, ffn=128, max_positions=32, dropout=0.0, attention_dropout=0.0
)


@pytest.fixture(scope="module")
def batches():
    dataset = tiny_dataset()
    corpus = PairCorpus(dataset.sentences, dataset.documents, Tokenizer(dataset.vocab), 32, 0.15, True)
    return TrainingBatches(corpus, 24, 42)


def model_on(batches, device, precision):
    torch.manual_seed(0)
    shape = SETTINGS.shape(batches.corpus.vocab_size)
    return Bert(shape).double().to(device, precision.weights).train()


def losses_and_gradient(batches, device, name):
    """Both losses and the gradient by parameter, as float64 on the CPU; and the same of the plain implementation."""
    device = torch.device(device)
    precision = Precision(name, device)
    model = model_on(batches, device, precision)
    totals = RunningTotals(np.zeros(batches.corpus.vocab_size, dtype=bool), device)
    inputs = to_device(batches[1], SETTINGS.heads, device)
    with precision.autocast():
        mlm_logits, next_logits = model(inputs)
    assert mlm_logits.dtype == next_logits.dtype == precision.dtype
    mlm, nsp = totals.add(mlm_logits, next_logits, inputs)
    (mlm + nsp).backward()
    gradient = {name: parameter.grad.double().cpu() for name, parameter in model.named_parameters()}

    weights = plain.parameters_of({name: tensor.cpu() for name, tensor in model.state_dict().items()})
    expected = plain.losses(weights, batches[1], SETTINGS.heads)
    found = torch.autograd.grad(sum(expected), list(weights.values()))
    return (mlm.item(), nsp.item(), gradient), (
        *(loss.item() for loss in expected),
        dict(zip(weights, found, strict=True)),
    )


def distance(gradient, expected):
    """The norm of the difference, relative to the expected gradient's."""
    assert gradient.keys() == expected.keys()
    pairs = [(gradient[name] - expected[name], expected[name]) for name in expected]
    return math.sqrt(sum(d.square().sum() for d, _ in pairs) / sum(e.square().sum() for _, e in pairs))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("precision", "least", "most"), [("fp64", 0, 1e-10), ("fp32", 1e-9, 5e-3), ("bf16", 1e-3, 0.1)]
)
def test_losses_and_gradient_of_every_precision(batches, device, precision, least, most):
    """Against the plain implementation in float64. fp32 has TF32's width of 10 bits on a GPU, bf16 has 7; and what
    says that it computes in few bits must show it."""
    (mlm, nsp, gradient), (exact_mlm, exact_nsp, exact) = losses_and_gradient(batches, device, precision)
    assert (mlm, nsp) == pytest.approx((exact_mlm, exact_nsp), rel=most)
    assert least <= distance(gradient, exact) < most


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_steps_agree_with_those_of_float64(batches, device, optimizer):
    """Ten steps in float32 with clipping: the losses are those of float64 on the CPU."""

    def losses(device, name):
        precision = Precision(name, torch.device(device))
        model = model_on(batches, device, precision)
        steps = Optimizer(model, dataclasses.replace(SETTINGS, optimizer=optimizer))
        found = []
        for step in range(1, 11):
            totals = RunningTotals(np.zeros(batches.corpus.vocab_size, dtype=bool), precision.device)
            inputs = to_device(batches[step], SETTINGS.heads, precision.device)
            mlm, nsp = totals.add(*model(inputs), inputs)
            steps.backward(mlm / len(inputs.labels) + nsp / len(inputs.next_labels))
            steps.step(1e-3)
            found.append(totals.means().loss)
        return found

    assert losses(device, "fp32") == pytest.approx(losses("cpu", "fp64"), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
def test_a_stopped_run_goes_on(device, tmp_path):
    """Stopped by SIGTERM and run again: the records of a run that was never stopped, on the CPU to the last bit."""
    dataset = write_tiny_dataset(tmp_path)

    def arguments(folder):
        settings = [*TINY_SETTINGS, "--steps", "120", "--log-interval", "20", "--dropout", "0.1", "--device", device]
        return ["--dataset", dataset, *training_paths(tmp_path / folder), *settings]

    script = "train_large_100k.py"
    assert run_script(script, *arguments("whole")).returncode == 0
    assert signalled_at("step 40/120", signal.SIGTERM, script, arguments("stopped")).returncode == 143
    assert "resuming after step 41" in run_script(script, *arguments("stopped")).stdout
    one, two = (read_history(tmp_path / folder / "history.json").records for folder in ("stopped", "whole"))
    assert one["steps"] == two["steps"]
    tolerance = 0 if device == "cpu" else 0.02
    assert one["loss"] == pytest.approx(two["loss"], rel=tolerance)
    assert one["eval_loss"] == pytest.approx(two["eval_loss"], rel=tolerance)
    assert one["mlm_targets"] == two["mlm_targets"]


@pytest.mark.parametrize(("device", "expected"), [("cpu", "highest"), ("cuda", "high")])
def test_float32_products_are_tf32_on_cuda_alone(device, expected):
    before = torch.get_float32_matmul_precision()
    try:
        Precision("fp32", torch.device(device))
        assert torch.get_float32_matmul_precision() == expected
    finally:
        torch.set_float32_matmul_precision(before)
