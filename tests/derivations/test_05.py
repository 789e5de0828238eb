"""Note 5, large vocabularies: a toy tokenizer and a language model small enough to enumerate."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import tokenizers
from scipy.optimize import brentq
from tokenizers import models, pre_tokenizers, trainers

from pipeline.collect.sample import read_sample
from pipeline.data.tokenizer import Tokenizer

Tokens = tuple[str, ...]
WORDS = {"low_": 5, "lower_": 2, "newest_": 6, "widest_": 3}


def segmentations(text: str, vocab: set[str]) -> Iterator[Tokens]:
    if not text:
        yield ()
    for end in range(1, len(text) + 1):
        if text[:end] in vocab:
            for rest in segmentations(text[end:], vocab):
                yield (text[:end], *rest)


def longest_match(text: str, vocab: set[str]) -> Tokens:
    tokens = []
    while text:
        end = max(end for end in range(1, len(text) + 1) if text[:end] in vocab)
        tokens.append(text[:end])
        text = text[end:]
    return tuple(tokens)


def test_eq_01_one_likelihood_three_units():
    total = 1.0828 * 1_120_496
    per_word = total / 209_338
    assert per_word * 209_338 / 1_120_496 == pytest.approx(1.0828)
    assert round(1.0828 / math.log(2), 3) == 1.562
    assert round(math.exp(1.0828), 2) == 2.95


def test_eq_02_perplexity_per_word():
    assert round(math.exp(1.0828 * 1_120_496 / 209_338)) == 329
    assert math.exp(1.0828) ** (1_120_496 / 209_338) == pytest.approx(329, abs=0.5)


def unigram_model(text: str = "abcab") -> tuple[dict[str, float], str]:
    pieces = {text[i:j] for i in range(len(text)) for j in range(i + 1, min(i + 3, len(text)) + 1)}
    draws = np.random.default_rng(0).dirichlet(np.ones(len(pieces)))
    return dict(zip(sorted(pieces), draws.tolist(), strict=True)), text


def test_eq_03_all_segmentations_together():
    p, text = unigram_model()
    each = [math.prod(p[t] for t in tokens) for tokens in segmentations(text, set(p))]
    assert len(each) == 13  # of five characters with pieces of at most three
    assert sum(each) > max(each) * 1.05


def merges_of(words: dict[str, int], count: int) -> list[tuple[str, str, int]]:
    """The first merges of BPE with their counts; ties go to the pair that is met first."""
    split, found = {word: list(word) for word in words}, []
    for _ in range(count):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, pieces in split.items():
            for pair in itertools.pairwise(pieces):
                pairs[pair] += words[word]
        (a, b), seen = pairs.most_common(1)[0]
        found.append((a, b, seen))
        split = {word: merged(pieces, a, b) for word, pieces in split.items()}
    return found


def merged(pieces: Sequence[str], a: str, b: str) -> list[str]:
    result: list[str] = []
    for piece in pieces:
        if result and (result[-1], piece) == (a, b):
            result[-1] = a + b
        else:
            result.append(piece)
    return result


def test_eq_04_merges_of_the_example():
    found = merges_of(WORDS, 5)
    assert {(a + b, count) for a, b, count in found[:3]} == {("es", 9), ("est", 9), ("est_", 9)}
    assert [(a + b, count) for a, b, count in found[3:]] == [("lo", 7), ("low", 7)]
    trained = tokenizers.Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Whitespace()
    corpus = [word for word, count in WORDS.items() for _ in range(count)]
    letters = len(set("".join(WORDS)))
    trained.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=letters + 5, show_progress=False))
    assert {"est_", "lo", "low"} <= trained.get_vocab().keys()  # the ways to est_ tie
    pieces = list("lowest_")
    for a, b, _ in found:
        pieces = merged(pieces, a, b)
    assert pieces == ["low", "est_"] == trained.encode("lowest_").tokens


def test_eq_05_a_merge_shortens_by_its_count():
    split = {word: list(word) for word in WORDS}
    for a, b, count in merges_of(WORDS, 8):
        before = sum(len(pieces) * WORDS[word] for word, pieces in split.items())
        split = {word: merged(pieces, a, b) for word, pieces in split.items()}
        assert sum(len(pieces) * WORDS[word] for word, pieces in split.items()) == before - count


def test_eq_06_wordpiece_prefers_association():
    single, pairs = Counter(), Counter()
    for word, count in WORDS.items():
        for letter in word:
            single[letter] += count
        for pair in itertools.pairwise(word):
            pairs[pair] += count
    score = {(a, b): count / (single[a] * single[b]) for (a, b), count in pairs.items()}
    assert score["i", "d"] == pytest.approx(1 / 3)
    assert score["e", "s"] == pytest.approx(1 / 17)
    assert max(score, key=lambda pair: score[pair]) == ("i", "d") != pairs.most_common(1)[0][0]
    # The score orders pairs by their pointwise mutual information.
    total, adjacent = sum(single.values()), sum(pairs.values())
    pmi = {(a, b): math.log(c / adjacent * total**2 / (single[a] * single[b])) for (a, b), c in pairs.items()}
    assert sorted(pmi, key=lambda pair: (pmi[pair], pair)) == sorted(score, key=lambda pair: (score[pair], pair))


def test_eq_07_longest_match():
    vocab = {"a", "b", "c", "ab", "bcc"}
    assert longest_match("abcc", vocab) == ("ab", "c", "c")
    assert min(map(len, segmentations("abcc", vocab))) == 2
    library = tokenizers.Tokenizer(
        models.WordPiece({t: i for i, t in enumerate(["[UNK]", *vocab, *("##" + v for v in vocab)])}, unk_token="[UNK]")
    )
    assert [t.removeprefix("##") for t in library.encode("abcc").tokens] == ["ab", "c", "c"]


def forward(p: dict[str, float], text: str) -> list[float]:
    alpha = [1.0]
    for j in range(1, len(text) + 1):
        alpha.append(sum(alpha[i] * p.get(text[i:j], 0.0) for i in range(j)))
    return alpha


def test_eq_08_viterbi_equals_enumeration():
    p, text = unigram_model("abcabcab")
    best: list[tuple[float, Tokens]] = [(0.0, ())]
    for j in range(1, len(text) + 1):
        best.append(
            max((best[i][0] + math.log(p[text[i:j]]), (*best[i][1], text[i:j])) for i in range(j) if text[i:j] in p)
        )
    brute = max(segmentations(text, set(p)), key=lambda tokens: math.prod(p[t] for t in tokens))
    assert best[-1][1] == brute
    library = tokenizers.Tokenizer(models.Unigram([("<unk>", -100.0), *((t, math.log(v)) for t, v in p.items())], 0))
    assert tuple(library.encode(text).tokens) == brute
    assert brute != longest_match(text, set(p))


def test_eq_09_forward_sum_equals_enumeration():
    p, text = unigram_model("abcabcab")
    brute = sum(math.prod(p[t] for t in tokens) for tokens in segmentations(text, set(p)))
    assert forward(p, text)[-1] == pytest.approx(brute)


def test_eq_10_expected_counts_equal_enumeration():
    p, text = unigram_model("abcabcab")
    alpha = forward(p, text)
    beta = forward({t[::-1]: v for t, v in p.items()}, text[::-1])[::-1]
    brute: Counter[str] = Counter()
    for tokens in segmentations(text, set(p)):
        for token in tokens:
            brute[token] += math.prod(p[t] for t in tokens) / alpha[-1]
    for token in p:
        starts = [i for i in range(len(text)) if text.startswith(token, i)]
        expected = sum(alpha[i] * p[token] * beta[i + len(token)] for i in starts) / alpha[-1]
        assert expected == pytest.approx(brute[token])


def entropy(counts: Sequence[float]) -> float:
    shares = np.array(counts, float) / sum(counts)
    return float(-(shares * np.log2(shares)).sum())


def test_eq_11_a_token_carries_at_most_log_v():
    """Texts of six characters with a known entropy; merged by BPE, a token never carries more than log V."""
    texts = ["".join(t) for t in itertools.product("ab", repeat=6)]
    weights = np.random.default_rng(1).dirichlet(np.full(64, 0.3))
    total = entropy(weights[weights > 0].tolist())
    vocab = {"a", "b"}
    for addition in ("ab", "aab", "abb", "aabb"):
        vocab |= {addition}
        per_token = 6 / sum(w * len(longest_match(t, vocab)) for t, w in zip(texts, weights, strict=True))
        assert per_token <= math.log2(len(vocab) + 1) / (total / 6)  # and one for where a text ends
        assert per_token > 1


@pytest.fixture(scope="module")
def novel() -> list[str]:
    return [s for a in read_sample() for p in a.paragraphs for s in re.split(r"(?<=[，。！？；：])", p) if s]


def test_eq_12_compression_of_the_novel(novel):
    characters = sum(map(len, novel))
    single = Counter("".join(novel))
    assert (characters, len(single)) == (592_069, 3957)
    assert round(entropy(list(single.values())), 2) == 9.01
    assert round(2 ** entropy(list(single.values()))) == 514
    trained = tokenizers.Tokenizer(models.BPE())
    trained.train_from_iterator(novel, trainers.BpeTrainer(vocab_size=16_000, show_progress=False))
    merges = [tuple(pair) for pair in json.loads(trained.to_str())["model"]["merges"]]
    table = {
        4500: (489_262, 1.210, 10.04, 8.29),
        8000: (396_129, 1.495, 11.36, 7.60),
        16_000: (336_373, 1.760, 12.43, 7.06),
    }
    before = entropy(list(single.values()))
    for size, (count, per_token, bits, per_character) in table.items():
        used = merges[: size - len(single)]  # a smaller vocabulary is the first merges of a larger one
        vocab = {token: number for number, token in enumerate([*single, *(a + b for a, b in used)])}
        smaller = tokenizers.Tokenizer(models.BPE(vocab, used))
        tokens = Counter(token for encoding in smaller.encode_batch(novel) for token in encoding.tokens)
        found = sum(tokens.values())
        assert len(vocab) == size
        assert found == pytest.approx(count, abs=20)  # ties between equally frequent pairs may fall otherwise
        carried = entropy(list(tokens.values()))
        rounded = (round(characters / found, 3), round(carried, 2), round(carried * found / characters, 2))
        assert rounded == pytest.approx((per_token, bits, per_character), abs=0.0051)
        assert carried < math.log2(size)
        assert carried * found / characters < before
        before = carried * found / characters


def test_eq_14_the_vocabulary_that_pays():
    b = (1.760 - 1.495) / math.log(2)
    a = 1.495 - b * math.log(8000)
    backbone, width = 12 * (4 * 768**2 + 2 * 768 * 3072), 768
    assert (round(b, 3), round(a, 3), round(backbone / 1e6, 1)) == (0.382, -1.941, 84.9)
    solved = brentq(lambda v: v * (a / b + math.log(v) - 1) - backbone / width, 2000, 1e6)
    grid = np.arange(5000, 200_000)
    cost = (backbone + width * grid) / (a + b * np.log(grid))
    assert grid[cost.argmin()] == pytest.approx(solved, abs=1)
    assert solved == pytest.approx(26_800, rel=0.005)
    bigger = (4 * backbone + width * grid) / (a + b * np.log(grid))
    assert grid[bigger.argmin()] > 2 * solved


def test_eq_15_errors_accumulate():
    right = np.random.default_rng(2).random((100_000, 100)) >= 0.01
    assert right.all(1).mean() == pytest.approx(0.99**100, abs=0.006)
    assert round(100 * 0.99**100, 1) == 36.6


def test_eq_16_worst_case_is_quadratic():
    """A process that stays wrong once it was wrong attains the first bound."""
    wrong = (np.random.default_rng(3).random((50_000, 30)) < 0.01).cumsum(1) > 0
    bound = sum(1 - 0.99**t for t in range(1, 31))
    assert wrong.sum(1).mean() == pytest.approx(bound, rel=0.03)
    assert bound < 0.01 * 30 * 31 / 2


def random_sequences(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(27, 2.0)).reshape(3, 3, 3)


def test_eq_17_divergence_of_sequences_adds_up():
    p, q = random_sequences(4), random_sequences(5)
    total = (p * np.log(p / q)).sum()
    summed = (p.sum((1, 2)) * np.log(p.sum((1, 2)) / q.sum((1, 2)))).sum()
    for a in range(3):
        pa, qa = p[a].sum(1) / p[a].sum(), q[a].sum(1) / q[a].sum()
        summed += p[a].sum() * (pa * np.log(pa / qa)).sum()
        for b in range(3):
            pb, qb = p[a, b] / p[a, b].sum(), q[a, b] / q[a, b].sum()
            summed += p[a, b].sum() * (pb * np.log(pb / qb)).sum()
    assert total == pytest.approx(summed)


def test_eq_18_pinsker():
    for seed in range(100):
        p, q = random_sequences(seed), random_sequences(seed + 1000)
        assert np.abs(p - q).sum() / 2 <= math.sqrt((p * np.log(p / q)).sum() / 2)
    p, q = np.array([0.5, 0.5]), np.array([0.51, 0.49])  # close distributions nearly attain it
    assert np.abs(p - q).sum() / 2 > 0.99 * math.sqrt((p * np.log(p / q)).sum() / 2)


# --- a language model over tokens that can be enumerated

VOCAB = {"白", "云", "山", "上", "机", "场", "白云", "白云山", "云上", "山上", "白云机场"}
END = ""


class Enumerated:
    """Texts with probabilities, and the model over tokens that their longest-match tokenization makes of them."""

    def __init__(self, vocab: set[str], alphabet: str, longest: int) -> None:
        texts = ["".join(t) for n in range(1, longest + 1) for t in itertools.product(alphabet, repeat=n)]
        shares = np.random.default_rng(6).dirichlet(np.ones(len(texts)))
        self.vocab, self.texts = vocab, dict(zip(texts, shares.tolist(), strict=True))
        self._begins: Counter[Tokens] = Counter()
        for text, share in self.texts.items():
            tokens = (*longest_match(text, vocab), END)
            for length in range(len(tokens) + 1):
                self._begins[tokens[:length]] += share

    def next(self, before: Tokens, token: str) -> float:
        """p(token | before), 0 where ``before`` cannot be."""
        return self._begins[(*before, token)] / self._begins[before] if self._begins[before] else 0.0

    def starting_with(self, prefix: str) -> float:
        """By enumeration of the texts."""
        return sum(share for text, share in self.texts.items() if text.startswith(prefix))

    def covered(self, prefix: str, before: Tokens = ()) -> float:
        """By covers: the probability that the text after ``before`` starts with ``prefix``."""
        total = 0.0
        for token in self.vocab:
            if token.startswith(prefix):
                total += self.next(before, token)
            elif prefix.startswith(token) and (p := self.next(before, token)):
                total += p * self.covered(prefix[len(token) :], (*before, token))
        return total

    def kept(self, prefix: str) -> Tokens:
        """The tokens before the earliest one where a token of the vocabulary reaches the end of ``prefix``."""
        tokens = longest_match(prefix, self.vocab)
        for j in range(len(tokens)):
            rest = "".join(tokens[j:])
            if any(token.startswith(rest) for token in self.vocab):
                return tokens[:j]
        raise AssertionError("the last token itself reaches the end")

    def chain(self, tokens: Tokens) -> float:
        return math.prod(self.next(tokens[:i], token) for i, token in enumerate(tokens))


@pytest.fixture(scope="module")
def model() -> Enumerated:
    return Enumerated(VOCAB, "白云山上机场", 5)


def prompts() -> list[str]:
    return ["".join(t) for n in (1, 2, 3) for t in itertools.product("白云山上机场", repeat=n)]


def test_eq_19_the_prompt_as_tokens_forbids_the_word(model):
    assert model.next(("白云",), "山") == 0
    assert model.starting_with("白云山") / model.starting_with("白云") > 0.1


def test_eq_21_covers_equal_enumeration(model):
    for prompt in prompts():
        assert model.covered(prompt) == pytest.approx(model.starting_with(prompt))
    naive = [model.chain(longest_match(prompt, VOCAB)) for prompt in prompts()]
    exact = [model.starting_with(prompt) for prompt in prompts()]
    wrong = sum(not math.isclose(a, b) for a, b in zip(naive, exact, strict=True))
    assert 20 < wrong < len(exact)


def test_eq_22_continuations_equal_enumeration(model):
    for prompt in ("白云", "云", "山白", "白云机"):
        after = {c: model.covered(prompt + c) / model.covered(prompt) for c in "白云山上机场"}
        for character, share in after.items():
            assert share == pytest.approx(model.starting_with(prompt + character) / model.starting_with(prompt))
        ended = model.texts[prompt] / model.starting_with(prompt)
        assert sum(after.values()) + ended == pytest.approx(1)


def test_eq_23_covers_are_few(model):
    def covers(prefix: str, before: Tokens = ()) -> int:
        return sum(
            1 if token.startswith(prefix) else covers(prefix[len(token) :], (*before, token))
            for token in VOCAB
            if (token.startswith(prefix) or prefix.startswith(token)) and model.next(before, token)
        )

    most = 0
    for prompt in prompts():
        starts = range(max(0, len(prompt) - 4), len(prompt))
        bound = sum(token.startswith(prompt[j:]) for j in starts for token in VOCAB)
        assert 1 <= covers(prompt) <= bound
        most = max(most, covers(prompt))
    assert most >= 3


def healed(model: Enumerated, prompt: str) -> float:
    """Back by one token, and the next one must start with it."""
    *before, last = longest_match(prompt, VOCAB)
    allowed = sum(model.next(tuple(before), token) for token in VOCAB if token.startswith(last))
    return model.chain(tuple(before)) * allowed


def condition(prompt: str) -> bool:
    tokens = longest_match(prompt, VOCAB)
    rests = ["".join(tokens[j:]) for j in range(len(tokens) - 1)]
    return not any(token.startswith(rest) and token != rest for rest in rests for token in VOCAB)


def test_eq_25_healing_by_one_is_exact_just_there(model):
    kinds = Counter()
    for prompt in prompts():
        exact = math.isclose(healed(model, prompt), model.starting_with(prompt), rel_tol=1e-9)
        assert exact == condition(prompt)
        kinds[exact] += 1
    assert min(kinds.values()) >= 1
    assert not condition("白云机")
    assert condition("白云")


def test_eq_26_how_far_to_go_back(model):
    assert model.kept("白云") == ()
    assert model.kept("白云机") == ()
    assert longest_match("白云机", VOCAB) == ("白云", "机")
    assert model.kept("山机") == ("山",)
    assert model.kept("机白云") == ("机",)


def test_eq_27_going_back_far_enough_is_exact(model):
    for prompt in prompts():
        kept = model.kept(prompt)
        rest = prompt[len("".join(kept)) :]
        assert model.chain(kept) * model.covered(rest, kept) == pytest.approx(model.starting_with(prompt))


def test_eq_28_price_of_random_segmentation():
    p, text = unigram_model("abcab")
    each = {tokens: math.prod(p[t] for t in tokens) for tokens in segmentations(text, set(p))}
    standard = max(each, key=lambda tokens: each[tokens])
    whole = sum(each.values())
    draws = np.random.default_rng(7).choice(len(each), 200_000, p=np.array(list(each.values())) / whole)
    chosen = (draws == list(each).index(standard)).mean()
    assert -math.log(each[standard]) == pytest.approx(-math.log(whole) - math.log(chosen), abs=0.01)
    assert -math.log(chosen) > 0.05


def test_eq_29_single_characters_have_one_cover():
    single = Enumerated(set("白云山"), "白云山", 4)
    for prompt in ("白", "白云", "山山云"):
        assert single.chain(tuple(prompt)) == pytest.approx(single.starting_with(prompt))
    ours = Tokenizer(list("白云山上机场"))
    whole, _ = ours.encode(["白云山上"])
    for end in range(1, 5):
        part, _ = ours.encode(["白云山上"[:end]])
        assert part.tolist() == whole[:end].tolist()
