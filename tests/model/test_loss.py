"""Means over masked positions and pairs, also over nothing."""

import numpy as np
import pytest
import torch

from pipeline.data.pairing import NO_PAIR
from pipeline.model.bert import Inputs
from pipeline.model.loss import RunningTotals

HAN = np.array([False] * 5 + [True, False])


def inputs_with(labels, next_labels):
    fields = {"labels": torch.tensor(labels, dtype=torch.int64), "next_labels": torch.tensor(next_labels)}
    return Inputs(**{name: fields.get(name) for name in Inputs._fields})


def means(labels, next_labels):
    totals = RunningTotals(HAN, torch.device("cpu"))
    logits = torch.zeros(len(labels), len(HAN))
    logits[:, 5] = 1.0
    next_logits = torch.tensor([[1.0, 0.0]]).repeat(len(next_labels), 1)
    totals.add(logits, next_logits, inputs_with(labels, next_labels))
    return totals.means()


def test_the_loss_is_the_sum_of_the_two_means():
    found = means([5, 6, 5, 5], [0, 1, NO_PAIR])
    assert (found.mlm_acc, found.mlm_acc_han, found.nsp_acc) == (0.75, 1.0, 0.5)
    assert (found.mlm_targets, found.mlm_targets_han, found.nsp_pairs) == (4, 3, 2)
    on_mlm = np.log(np.e + 6) - 0.75
    on_pairs = np.log(np.e + 1) - 0.5
    assert (found.mlm_loss, found.nsp_loss) == (pytest.approx(on_mlm), pytest.approx(on_pairs))
    assert found.loss == pytest.approx(on_mlm + on_pairs)


def test_what_is_missing_is_left_out_of_the_loss():
    assert means([5], [NO_PAIR]).loss == means([5], [NO_PAIR]).mlm_loss
    assert means([], [0]).loss == means([], [0]).nsp_loss


def test_over_nothing_all_means_are_none():
    nothing = means([], [NO_PAIR])
    assert {name: value for name, value in nothing.to_json().items() if value is not None} == {
        "mlm_targets": 0,
        "mlm_targets_han": 0,
        "nsp_pairs": 0,
    }
