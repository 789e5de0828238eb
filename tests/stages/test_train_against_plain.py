"""Whole runs of the training script beside the same training written in textbook form: every record, every weight.

The plain trainer (tests/helpers/plain_bert.py) starts from the script's initial weights and shares the data with it;
model, losses, gradient, clipping, optimizer, schedule, recording and scoring are its own. Everything is float64 and
without dropout, so the two agree to rounding.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pipeline.characters.han import is_han
from pipeline.data.held_out_questions import HeldOutQuestions, digest
from pipeline.data.masked_pairs import PairCorpus, TrainingBatches, take
from pipeline.data.splits import split_by_article
from pipeline.data.tokenizer import Tokenizer
from pipeline.files import checkpoint
from pipeline.files.dataset import write_dataset
from pipeline.files.final_scoring import final_scoring_beside, read_final_scoring
from pipeline.files.history import read_history
from tests.helpers import plain_bert as plain
from tests.helpers.in_process import succeeded, train_here
from tests.helpers.tiny import tiny_dataset

HEADS, LENGTH, MASK_RATE, HELD_OUT, EVAL_TARGETS = 2, 32, 0.3, 0.2, 60
STEPS, BATCH, WARMUP, PEAK, CLIP, SEED, INTERVAL = 12, 8, 4, 2e-2, 2.0, 5, 3
BETAS, WEIGHT_DECAY = (0.8, 0.95), 0.5
SETTINGS = (
    *("--precision", "fp64", "--dropout", "0", "--attention-dropout", "0", "--seed", SEED, "--init-std", "0.3"),
    *("--layers", "2", "--hidden", "16", "--heads", HEADS, "--ffn", "40", "--max-positions", "40", "--length", LENGTH),
    *(
        "--mask-rate",
        MASK_RATE,
        "--held-out",
        HELD_OUT,
        "--eval-every",
        "2",
        "--eval-targets",
        EVAL_TARGETS,
        "--steps",
        STEPS,
    ),
    *("--batch-size", "4", "--accumulation", BATCH // 4, "--lr", PEAK, "--warmup", WARMUP, "--clip", CLIP),
    *("--beta1", BETAS[0], "--beta2", BETAS[1], "--weight-decay", WEIGHT_DECAY),
    *("--log-interval", INTERVAL, "--save-interval", "4"),
)


@dataclass
class Data:
    """What the script trains on and is scored on, as its documentation says."""

    train: TrainingBatches
    subset: list  # the validation batches that every record is scored on
    validation: list
    test: list
    han: np.ndarray  # bool [V]


@pytest.fixture(scope="module")
def dataset():
    return tiny_dataset(articles=100)


@pytest.fixture(scope="module")
def data(dataset):
    splits, tokenizer = split_by_article(dataset, HELD_OUT), Tokenizer(dataset.vocab)

    def corpus(documents, rate):
        return PairCorpus(dataset.sentences, documents, tokenizer, LENGTH, rate, True)

    validation = HeldOutQuestions(corpus(splits.validation, 0.15)).batches()
    test = HeldOutQuestions(corpus(splits.test, 0.15)).batches()
    subset = validation[:1]
    assert len(subset[0].labels) >= EVAL_TARGETS
    assert len(validation) > 1
    return Data(
        train=TrainingBatches(corpus(splits.train, MASK_RATE), BATCH, SEED),
        subset=subset,
        validation=validation,
        test=test,
        han=np.array([len(token) == 1 and is_han(token) for token in tokenizer.tokens]),
    )


@pytest.fixture(scope="module", params=[("adamw", "bert"), ("muon", "bert"), ("adamw", "linear")], ids="-".join)
def runs(request, dataset, data, tmp_path_factory):
    """The script's history and checkpoints, and the plain trainer's records and weights by step."""
    optimizer, head = request.param
    folder = tmp_path_factory.mktemp("-".join(request.param))
    write_dataset(folder / "dataset.json", dataset)
    settings = (*SETTINGS, "--optimizer", optimizer, "--head", head)
    succeeded(train_here(folder, folder / "dataset.json", *settings))
    # At a rate of nothing the first checkpoint is where the run began.
    still = (*settings, "--lr", "1e-300", "--steps", "1", "--save-interval", "1")
    succeeded(train_here(folder / "start", folder / "dataset.json", *still))
    start = checkpoint.load(folder / "start" / "ck" / "step_1.pth")["model"]
    saved = {step: checkpoint.load(path)["model"] for step, path in checkpoint.weight_files(folder / "ck")}
    records, weights = train_plainly(start, data, optimizer == "muon")
    return read_history(folder / "history.json"), saved, records, weights


def train_plainly(start, data, muon):
    """The records, one each ``INTERVAL`` steps, and the weights after each step."""
    weights = plain.parameters_of(start)
    optimizer = plain.PlainOptimizer(muon, BETAS, WEIGHT_DECAY)
    records, weights_after, norms, batches = [], {}, [], []
    for step in range(1, STEPS + 1):
        batch = data.train[step]
        found = torch.autograd.grad(plain.step_loss(weights, batch, HEADS), list(weights.values()))
        gradients, norm = plain.clipped(dict(zip(weights, found, strict=True)), CLIP)
        scored_before = plain_score(weights, [batch], data.han)
        rate = plain.rate_at(step, PEAK, WARMUP, STEPS)
        optimizer.step(weights, gradients, rate)
        weights_after[step] = {name: tensor.detach().clone() for name, tensor in weights.items()}
        norms.append(norm)
        batches.append((batch, scored_before))
        if step % INTERVAL == 0:
            records.append(plain_record(step, rate, batches, norms, weights, data))
    assert min(norms) < CLIP < max(norms)  # some steps are clipped and some are not
    return records, weights_after


def plain_record(step, rate, batches, norms, weights, data):
    """What the history's documentation says of a record, from all ``batches`` with their sums and all ``norms``."""
    trained = {key: sum(sums[key] for _, sums in batches[-INTERVAL:]) for key in batches[0][1]}
    scored = plain_score(weights, data.subset, data.han)
    held_out = {
        "eval_mlm_acc": scored["right"] / scored["targets"],
        "eval_mlm_acc_han": scored["han_right"] / scored["han"],
        "eval_nsp_acc": scored["pairs_right"] / scored["pairs"],
        "eval_loss": scored["mlm"] / scored["targets"] + scored["nsp"] / scored["pairs"],
    }
    sample = plain_score(weights, [data.train.from_step(step + 1, 32)], data.han)
    return {
        "steps": step,
        "lr": rate,
        "mlm_acc": trained["right"] / trained["targets"],
        "nsp_acc": trained["pairs_right"] / trained["pairs"],
        "loss": trained["mlm"] / trained["targets"] + trained["nsp"] / trained["pairs"],
        "mlm_targets": trained["targets"],
        "nsp_pairs": trained["pairs"],
        **(held_out if step % (2 * INTERVAL) == 0 else dict.fromkeys(held_out)),
        "sample_mlm_acc": sample["right"] / sample["targets"],
        "sample_mlm_acc_published": sample["collapsed_right"] / sample["targets"],
        "sample_nsp_acc": sample["pairs_right"] / sample["pairs"],
        "grad_norm": sum(norms[-INTERVAL:]) / INTERVAL,
        "tokens": sum(int(batch.lengths.sum()) for batch, _ in batches),
    }


@torch.no_grad()
def plain_score(weights, batches, han):
    """Sums over ``batches``: hits and losses of masked positions, of Han ones and of pairs, and how many there are."""
    sums = dict.fromkeys(
        ("mlm", "right", "targets", "han", "han_right", "collapsed_right", "nsp", "pairs_right", "pairs"), 0
    )
    for batch in batches:
        mlm, nsp = plain.logits(weights, batch, HEADS)
        mlm_loss, nsp_loss = plain.losses(weights, batch, HEADS)
        guesses, labels = mlm.argmax(-1).tolist(), batch.labels.tolist()
        sums["mlm"] += mlm_loss.item()
        sums["nsp"] += nsp_loss.item()
        for guess, label in zip(guesses, labels, strict=True):
            sums["targets"] += 1
            sums["right"] += guess == label
            sums["han"] += int(han[label])
            sums["han_right"] += bool(han[label]) and guess == label
            sums["collapsed_right"] += guess == label if han[label] else not han[guess]
        for told, label in zip(nsp.argmax(-1).tolist(), batch.next_labels.tolist(), strict=True):
            sums["pairs"] += label != plain.NO_PAIR
            sums["pairs_right"] += told == label
    return sums


def test_every_record(runs):
    history, _, records, _ = runs
    assert set(history.records) - {"seconds"} == set(records[0])
    for key in records[0]:
        expected, found = [record[key] for record in records], history.records[key]
        assert [value is None for value in found] == [value is None for value in expected], key
        values = [[value for value in each if value is not None] for each in (found, expected)]
        assert values[0] == pytest.approx(values[1], rel=1e-9), key


def test_weights_of_every_checkpoint(runs):
    """A key's bias has no gradient but rounding, which AdamW makes large; hence the absolute tolerance."""
    _, saved, _, weights = runs
    assert list(saved) == [4, 8, 12]
    for step, state in saved.items():
        for name, expected in weights[step].items():
            torch.testing.assert_close(state[name], expected, rtol=1e-8, atol=1e-8, msg=f"{name} at step {step}")


def test_final_scores_are_of_all_held_out_text(runs, data):
    history, _, _, weights = runs
    for name, batches in (("validation", data.validation), ("test", data.test)):
        sums = plain_score(weights[STEPS], batches, data.han)
        found = history.run[name]
        counts = (found["mlm_targets"], found["mlm_targets_han"], found["nsp_pairs"])
        assert counts == (sums["targets"], sums["han"], sums["pairs"])
        expected = [sums["right"] / sums["targets"], sums["han_right"] / sums["han"]]
        expected += [sums["pairs_right"] / sums["pairs"], sums["mlm"] / sums["targets"], sums["nsp"] / sums["pairs"]]
        keys = ("mlm_acc", "mlm_acc_han", "nsp_acc", "mlm_loss", "nsp_loss")
        assert [found[key] for key in keys] == pytest.approx(expected, rel=1e-9), name
        assert found["loss"] == pytest.approx(found["mlm_loss"] + found["nsp_loss"])


def test_the_final_scoring_tells_the_hits_of_every_sequence(runs, dataset, data):
    history, _, _, weights = runs
    scoring = read_final_scoring(final_scoring_beside(history.path))
    assert (scoring.seed, scoring.dataset, scoring.step) == (SEED, dataset.fingerprint(), STEPS)
    for found, batches in ((scoring.validation, data.validation), (scoring.test, data.test)):
        assert found.questions == digest(batches)
        alone = [(batch, row) for batch in batches for row in range(len(batch.lengths))]
        sums = [plain_score(weights[STEPS], [take(batch, np.array([row]))], data.han) for batch, row in alone]
        assert found.targets == [each["targets"] for each in sums]
        assert found.hits == [each["right"] for each in sums]
        assert found.pair_hits == [each["pairs_right"] if each["pairs"] else None for each in sums]
    splits = split_by_article(dataset, HELD_OUT)
    assert set(scoring.validation.article) == {document.page for document in splits.validation}
    assert set(scoring.test.article) == {document.page for document in splits.test}


def test_what_the_records_are_scored_on(runs, data):
    history, _, _, _ = runs
    labels = np.concatenate([batch.labels for batch in data.subset])
    pairs = np.concatenate([batch.next_labels for batch in data.subset])
    assert history.run["eval_counts"] == {
        "mlm_targets": len(labels),
        "mlm_targets_han": int(data.han[labels].sum()),
        "nsp_pairs": int((pairs != plain.NO_PAIR).sum()),
    }


def test_facts_of_the_run(runs, dataset):
    history, _, _, _ = runs
    run = history.run
    splits = split_by_article(dataset, HELD_OUT)
    assert run["dataset"]["documents"] == {name: len(documents) for name, documents in vars(splits).items()}
    assert (run["dataset"]["sentences"], run["dataset"]["vocab"]) == (len(dataset.sentences), len(dataset.vocab))
    assert run["dataset"]["fingerprint"] == dataset.fingerprint()
    assert (run["seed"], run["config"]["seed"], run["config"]["steps"]) == (SEED, SEED, STEPS)
    assert (run["device"], run["precision"], run["processes"]) == ("cpu", "fp64", 1)
    assert run["threads"] == torch.get_num_threads()
    assert run["versions"]["torch"] == torch.__version__
    assert run["started"] <= run["finished"]
    seconds = history.records["seconds"]
    assert 0 < seconds[0] < seconds[-1] < 600
