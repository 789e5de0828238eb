"""What dropout does in a run: other masks at every micro-batch, at the rates asked for, none where text is scored."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from pipeline.characters.han import is_han
from pipeline.data.masked_pairs import PairCorpus, TrainingBatches
from pipeline.data.splits import split_by_article
from pipeline.data.tokenizer import Tokenizer
from pipeline.files import checkpoint
from pipeline.files.dataset import write_dataset
from pipeline.files.history import read_history
from pipeline.model import dropout
from pipeline.model.bert import Bert, Shape, to_device
from tests.helpers.in_process import succeeded, train_here
from tests.helpers.tiny import TINY_SETTINGS, tiny_dataset

DROPOUT, ATTENTION_DROPOUT = 0.25, 0.5
STEPS, ACCUMULATION, MICRO_BATCH, RECORDS, LAYERS = 6, 2, 4, 2, 2
SAMPLE, SEQUENCES_IN_ONE_PRODUCT = 32, 8
SETTINGS = (
    *TINY_SETTINGS,
    *("--layers", LAYERS, "--dropout", DROPOUT, "--attention-dropout", ATTENTION_DROPOUT, "--init-std", "0.3"),
    *("--steps", STEPS, "--log-interval", STEPS // RECORDS, "--save-interval", STEPS // RECORDS, "--seed", "9"),
    *("--batch-size", MICRO_BATCH, "--accumulation", ACCUMULATION, "--lr", "1e-2"),
)


@dataclass
class Masks:
    """Every mask that was drawn, as bool arrays by the probability asked for, in order."""

    drawn: dict[float, list[np.ndarray]] = field(default_factory=dict)

    def keep_mask(self, shape, probability):
        mask = self.original(shape, probability)
        self.drawn.setdefault(probability, []).append(mask.numpy() > 0)
        return mask

    original = staticmethod(dropout.keep_mask)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with dropout: its folder, the masks it drew, and its dataset."""
    folder, dataset, masks = tmp_path_factory.mktemp("dropout"), tiny_dataset(), Masks()
    write_dataset(folder / "dataset.json", dataset)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dropout, "keep_mask", masks.keep_mask)
        succeeded(train_here(folder, folder / "dataset.json", *SETTINGS))
    return folder, masks.drawn, dataset


def test_no_two_masks_are_alike(run):
    """Not those of two steps, of two micro-batches, of two layers; a stream that begins again would show here."""
    _, drawn, _ = run
    beginnings = [mask.ravel()[:64].tobytes() for masks in drawn.values() for mask in masks]
    assert len(set(beginnings)) == len(beginnings) > 100


def test_as_many_masks_as_the_model_has_places_for_them(run):
    """Embeddings, two sublayers a layer, the pooler; attention in every layer. None while held-out text is scored."""
    _, drawn, _ = run
    forwards = STEPS * ACCUMULATION + RECORDS
    products = STEPS * ACCUMULATION + RECORDS * SAMPLE // SEQUENCES_IN_ONE_PRODUCT
    assert {probability: len(masks) for probability, masks in drawn.items()} == {
        DROPOUT: forwards * (1 + 2 * LAYERS + 1),
        ATTENTION_DROPOUT: products * LAYERS,
    }
    pooled = [mask.shape[0] for mask in drawn[DROPOUT][2 * LAYERS + 1 :: 2 * LAYERS + 2]]
    assert sorted(pooled) == [MICRO_BATCH] * STEPS * ACCUMULATION + [SAMPLE] * RECORDS


def test_as_many_zeros_as_asked_for(run):
    _, drawn, _ = run
    for probability, masks in drawn.items():
        kept = np.concatenate([mask.ravel() for mask in masks])
        error = np.sqrt(probability * (1 - probability) / len(kept))
        assert abs(np.mean(~kept) - probability) < 5 * error


def test_the_sample_is_32_sequences_of_the_next_step_with_dropout(run):
    """The published run's way of logging, from the checkpoint of the same step; without dropout it would be another."""
    folder, _, dataset = run
    records = read_history(folder / "history.json").records
    tokenizer = Tokenizer(dataset.vocab)
    train = split_by_article(dataset, 0.1).train
    batches = TrainingBatches(PairCorpus(dataset.sentences, train, tokenizer, 32, 0.15, True), 8, 9)
    han = [len(token) == 1 and is_han(token) for token in tokenizer.tokens]
    without = []
    for record, (step, path) in enumerate(checkpoint.weight_files(folder / "ck")):
        content = checkpoint.load(path)
        model = Bert(Shape(**content["shape"]))
        model.load_state_dict(content["model"])
        batch = batches.from_step(step + 1, SAMPLE)
        inputs = to_device(batch, model.shape.heads, torch.device("cpu"))
        # A micro-batch's dropout is drawn from (seed, step, its number); that of the published log from 2^31.
        dropout.seed(int(np.random.SeedSequence((9, step, 2**31)).generate_state(1, np.uint64)[0] >> 1))
        with torch.no_grad():
            guesses, told = (logits.argmax(-1).tolist() for logits in model.train()(inputs))
            without.append((model.eval()(inputs)[0].argmax(-1).numpy() == batch.labels).mean())
        pairs = [(one, label) for one, label in zip(told, batch.next_labels.tolist(), strict=True) if label >= 0]
        answers = list(zip(guesses, batch.labels.tolist(), strict=True))
        expected = {
            "sample_mlm_acc": [guess == label for guess, label in answers],
            "sample_mlm_acc_published": [
                guess == label if han[label] else not han[guess] for guess, label in answers
            ],
            "sample_nsp_acc": [one == label for one, label in pairs],
        }  # fmt: skip
        for key, right in expected.items():
            assert records[key][record] == pytest.approx(sum(right) / len(right)), key
    assert len(without) == RECORDS
    assert records["sample_mlm_acc"] != pytest.approx(without)
