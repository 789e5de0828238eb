"""What `--describe` promises, against counts made another way: of operations, of memory, of tokens, of parameters."""

import itertools
import json
import time

import numpy as np
import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from pipeline.data.masked_pairs import PairCorpus, TrainingBatches, split_batch
from pipeline.data.splits import split_by_article
from pipeline.data.tokenizer import Tokenizer
from pipeline.files import checkpoint
from pipeline.files.dataset import write_dataset
from pipeline.files.history import read_history
from pipeline.model.bert import Bert, Shape, to_device
from pipeline.model.loss import RunningTotals
from tests.helpers.in_process import run_here, succeeded, train_here
from tests.helpers.tiny import tiny_dataset

HIDDEN, FFN, HEADS, LENGTH, STEPS, SAMPLED_STEPS = 32, 80, 2, 32, 10, 8
MICRO_BATCH, ACCUMULATION, HELD_OUT, SEED = 2, 3, 0.1, 42
SETTINGS = (
    *("--layers", "2", "--hidden", HIDDEN, "--heads", HEADS, "--ffn", FFN, "--max-positions", LENGTH),
    *("--length", LENGTH, "--batch-size", MICRO_BATCH, "--accumulation", ACCUMULATION, "--steps", STEPS),
    *("--held-out", HELD_OUT, "--log-interval", STEPS, "--save-interval", STEPS, "--eval-targets", "60"),
)


@pytest.fixture(scope="module")
def dataset():
    return tiny_dataset()


@pytest.fixture(scope="module")
def batches(dataset):
    """What the first steps train on."""
    train = split_by_article(dataset, HELD_OUT).train
    corpus = PairCorpus(dataset.sentences, train, Tokenizer(dataset.vocab), LENGTH, 0.15, True)
    return TrainingBatches(corpus, MICRO_BATCH * ACCUMULATION, SEED)


@pytest.fixture(scope="module", params=["bert", "linear"])
def described(request, dataset, tmp_path_factory):
    """The description, and the history and state of the run itself; with a head."""
    folder = tmp_path_factory.mktemp(request.param)
    write_dataset(folder / "dataset.json", dataset)
    settings = (*SETTINGS, "--head", request.param)
    told = succeeded(run_here("train_large_100k.py", "--dataset", folder / "dataset.json", *settings, "--describe"))
    assert sorted(path.name for path in folder.iterdir()) == ["dataset.json", "vocab.txt"]  # it writes nothing
    succeeded(train_here(folder, folder / "dataset.json", *settings))
    return json.loads(told), read_history(folder / "history.json"), checkpoint.load_newest_state(folder / "ck")


def test_flops_are_those_that_torch_counts(described, batches):
    """Matrix products forward and backward, one sequence at a time so that nothing is padded: exactly, once the pooler
    and the NSP layer are added, which the estimate leaves out. Embeddings, norms and the optimizer are in neither."""
    found, history, state = described
    model = Bert(Shape(**state["shape"])).train()
    counted = 0
    for step in range(1, 1 + SAMPLED_STEPS):
        for sequence in split_batch(batches[step], MICRO_BATCH * ACCUMULATION):
            with FlopCounterMode(display=False) as counter:
                mlm_logits, next_logits = model(to_device(sequence, HEADS, torch.device("cpu")))
                (mlm_logits.sum() + next_logits.sum()).backward()
            counted += counter.get_total_flops() / SAMPLED_STEPS
    pooler = HIDDEN**2 if state["shape"]["head"] == "bert" else 0
    left_out = 3 * 2 * (pooler + 2 * HIDDEN) * MICRO_BATCH * ACCUMULATION
    assert history.run["flops_per_step"] == pytest.approx(counted - left_out, rel=1e-12)
    assert counted > 50 * left_out
    assert found["flops"] == STEPS * history.run["flops_per_step"]


def test_tokens_epochs_and_parameters(described, batches, dataset):
    found, history, state = described
    weights = {tensor.data_ptr(): tensor.numel() for tensor in state["model"].values()}
    assert found["parameters"] == history.run["parameters"] == sum(weights.values())
    assert found["vocabulary"] == len(dataset.vocab) + 5
    lengths = [length for step in range(1, 1 + SAMPLED_STEPS) for length in batches[step].lengths.tolist()]
    assert min(lengths) < max(lengths)
    mean, sequences = sum(lengths) / len(lengths), STEPS * MICRO_BATCH * ACCUMULATION
    assert found["sequence_tokens"] == pytest.approx(mean)
    assert found["sequence_tokens_from"] == "the dataset"
    assert found["effective_batch"] == MICRO_BATCH * ACCUMULATION
    assert found["tokens"] == round(sequences * mean)
    assert found["tokens"] == pytest.approx(history.records["tokens"][-1], rel=0.05)  # of all ten steps, not eight
    assert found["epochs"] == sequences / len(batches.corpus)
    assert history.run["train_examples"] == len(batches.corpus)
    assert found["settings"] == history.run["config"]


def test_memory_of_weights_gradients_and_moments(described):
    """What the state of the run holds: weights, AdamW's two moments, and once more the weights' size for gradients."""
    found, _, state = described
    weights = {tensor.data_ptr(): tensor.nbytes for tensor in state["model"].values()}
    moments = sum(tensor.nbytes for tensor in tensors_in(state["optimizer"]) if tensor.dim())
    assert found["memory_bytes"]["weights_gradients_moments"] == 2 * sum(weights.values()) + moments


def tensors_in(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(part)


class Allocations(TorchDispatchMode):
    """Every storage that an operation gives as its result, views of the ``known`` tensors left out."""

    def __init__(self, known):
        super().__init__()
        self.known = {tensor.untyped_storage()._cdata for tensor in known}
        self.made = {}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        for tensor in tensors_in(result):
            storage = tensor.untyped_storage()
            if storage._cdata not in self.known:
                self.made[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        return result

    def alive(self):
        return sum(size for reference, size in self.made.values() if not reference.expired())


def test_memory_kept_for_backward(described, batches, dataset):
    """What the forward pass of one micro-batch leaves in memory, and the matrices, which autograd keeps too. The
    estimate counts twice what two operations keep; with dropout on that is little."""
    found, _, state = described
    model = Bert(Shape(**state["shape"])).train()
    inputs = to_device(split_batch(batches[1], ACCUMULATION)[-1], HEADS, torch.device("cpu"))
    with Allocations(model.parameters()) as allocations:
        losses = RunningTotals(np.zeros(len(dataset.vocab) + 5, dtype=bool), torch.device("cpu")).add(
            *model(inputs), inputs
        )
    alive = allocations.alive()
    sum(losses).backward()
    assert allocations.alive() < alive / 20  # it was kept for the backward pass
    weights = sum(module.weight.nbytes for module in model.modules() if isinstance(module, torch.nn.Linear))
    assert 0.97 < found["memory_bytes"]["kept_for_backward"] / (alive + weights) < 1.06


def test_without_a_dataset_every_pair_fills_the_length(tmp_path):
    told = json.loads(
        succeeded(run_here("train_large_100k.py", "--dataset", tmp_path / "none", *SETTINGS, "--describe"))
    )
    assert told["sequence_tokens"] == LENGTH
    assert told["epochs"] is None
    assert told["vocabulary"] == 10_054  # the published one and the five special tokens


def test_double_precision_takes_twice_the_memory(tmp_path):
    sizes = []
    for precision in ("fp32", "fp64"):
        options = ("--dataset", tmp_path / "none", *SETTINGS, "--precision", precision, "--dropout", "0", "--describe")
        sizes.append(json.loads(succeeded(run_here("train_large_100k.py", *options)))["memory_bytes"])
    assert sizes[1]["weights_gradients_moments"] == 2 * sizes[0]["weights_gradients_moments"]
    assert 1.8 < sizes[1]["kept_for_backward"] / sizes[0]["kept_for_backward"] <= 2


def test_the_time_of_a_step_counts_every_micro_batch(tmp_path, monkeypatch):
    """A clock that goes on a second at each look: one for the micro-batch that is measured, one for the optimizer."""
    clock = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    options = ("--dataset", tmp_path / "none", *SETTINGS, "--describe")
    told = json.loads(succeeded(run_here("train_large_100k.py", *options)))
    assert told["seconds_per_step"] == ACCUMULATION + 1
    assert told["expected_hours"] == pytest.approx((ACCUMULATION + 1) * STEPS / 3600)
