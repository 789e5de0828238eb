"""Agreement and divergence of a model and the counting guesses."""

import numpy as np
import pytest
import torch

from pipeline.baselines.counting import GUESSES, CountingGuesses
from pipeline.baselines.counting_distributions import CountingDistributions
from pipeline.data.held_out_questions import HeldOutQuestions
from pipeline.data.masked_pairs import PairCorpus
from pipeline.data.splits import split_by_article
from pipeline.data.tokenizer import Tokenizer
from pipeline.model.bert import Bert, Shape, to_device
from pipeline.model.precision import Precision
from pipeline.score import counting_comparison
from pipeline.score.counting_comparison import CountingReference
from tests.helpers.tiny import tiny_dataset

CPU = torch.device("cpu")


@pytest.fixture
def asked(monkeypatch):
    monkeypatch.setattr(counting_comparison, "DIVERGENCE_TARGETS", 40)
    dataset = tiny_dataset(articles=200)
    splits, tokenizer = split_by_article(dataset, 0.3), Tokenizer(dataset.vocab)
    train, held_out = (
        PairCorpus(dataset.sentences, documents, tokenizer, 32, 0.15, True)
        for documents in (splits.train, splits.validation)
    )
    return train, HeldOutQuestions(held_out).batches(), len(tokenizer)


def test_divergence_and_agreement_from_the_definition(asked):
    train, batches, size = asked
    torch.manual_seed(1)
    model = Bert(Shape(size, 1, 16, 2, 32, 32, 0.0, 0.0, 0.3, "bert"))
    guesses = CountingGuesses(train)
    answered = {name: np.concatenate([guesses.guess(batch)[name] for batch in batches]) for name in GUESSES}
    predicted = np.where(np.arange(len(answered["left"])) % 4 == 0, answered["left"], 0)
    found = CountingReference(answered, batches, train).compare(model, Precision("fp32", CPU), predicted)

    first, inputs = batches[0], to_device(batches[0], 2, CPU)
    assert found.divergence_targets == len(first.labels) >= 40
    with torch.no_grad():
        logs = torch.log_softmax(model.eval()(inputs)[0].double(), -1)
    distributions = CountingDistributions(train).distributions(first)
    for name in GUESSES:
        counted = torch.from_numpy(np.array(distributions[name]))
        expected = torch.nn.functional.kl_div(logs, counted, reduction="batchmean")
        assert found.divergence[name] == pytest.approx(float(expected), rel=1e-5)
        assert found.agreement[name] == np.mean(answered[name] == predicted)
    assert found.targets == len(predicted) > len(first.labels)


def test_a_model_that_counts_has_no_divergence(asked, monkeypatch):
    train, batches, _ = asked
    counted = CountingDistributions(train)

    def answers(_, some, __):
        for batch in some:
            shares = torch.from_numpy(counted.distributions(batch)["left"])
            yield None, torch.log(shares + 1e-300), None

    monkeypatch.setattr(counting_comparison, "answers", answers)
    answered = {name: np.zeros(1, dtype=np.int64) for name in GUESSES}
    found = CountingReference(answered, batches, train).compare(None, None, answered["left"])
    assert found.divergence["left"] == pytest.approx(0, abs=1e-9)
    assert found.divergence["commonest"] > 0.1
    assert found.divergence["both"] > 0.1
