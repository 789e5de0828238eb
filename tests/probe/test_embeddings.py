"""Embedding rows by frequency."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.probe.embeddings import embeddings


def test_tenths_run_from_the_rarest_to_the_commonest():
    random = np.random.default_rng(0)
    counts = random.permutation(np.append(np.arange(1, 101), [0, 0]))
    rows = random.standard_normal((102, 6)) + 1
    rows *= ((counts + 5) / np.linalg.norm(rows, axis=1))[:, None]  # lengths 5 where unseen, 6 to 105 by count
    found = embeddings(rows, counts)
    assert [tenth.count for tenth in found.tenths] == pytest.approx(np.arange(5.5, 100, 10))
    assert [tenth.norm for tenth in found.tenths] == pytest.approx(np.arange(10.5, 105, 10))
    assert found.unseen is not None
    assert (found.unseen.count, found.unseen.norm) == (0, pytest.approx(5))
    assert found.rank_correlation == pytest.approx(1)
    assert found.mean_norm == pytest.approx(np.linalg.norm(rows, axis=1).mean())


def test_cosines_are_those_with_the_mean_row():
    random = np.random.default_rng(1)
    rows, counts = random.standard_normal((40, 5)) + 0.5, random.integers(1, 1000, 40)
    found, mean = embeddings(rows, counts), rows.mean(0)
    cosines = [row @ mean / np.linalg.norm(row) / np.linalg.norm(mean) for row in rows]
    rarest = np.argsort(counts, kind="stable")[:4]
    assert found.tenths[0].cosine == pytest.approx(np.mean([cosines[token] for token in rarest]))
    pairs = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for i, a in enumerate(rows) for b in rows[:i]]
    assert found.mean_cosine == pytest.approx(np.mean(pairs))
    assert found.rank_correlation == pytest.approx(spearmanr(np.linalg.norm(rows, axis=1), counts)[0])
    assert found.unseen is None


def test_no_correlation_where_all_tokens_are_equally_common():
    assert embeddings(np.random.default_rng(2).standard_normal((20, 3)), np.full(20, 7)).rank_correlation is None
