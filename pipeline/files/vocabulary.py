"""The vocabulary: characters by descending frequency behind five special tokens, and its file ``vocab.txt``."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pipeline.files import atomic
from pipeline.stage import InputError

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")  # ids 0..4 in every vocabulary


def count_characters(sentences: Iterable[str]) -> Counter[str]:
    """Occurrences of every character but white space, which the tokenizer drops."""
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(sentence)
    for character in [character for character in counts if character.isspace()]:
        del counts[character]
    return counts


def build_vocab(counts: Counter[str], min_freq: int) -> list[str]:
    """Characters seen at least ``min_freq`` times, the most frequent first, ties by code point."""
    frequent = [character for character, count in counts.items() if count >= min_freq]
    return sorted(frequent, key=lambda character: (-counts[character], character))


def vocab_txt(vocab: list[str]) -> str:
    """The content of ``vocab.txt`` in Hugging Face's form: one token a line, the special ones first."""
    return "".join(token + "\n" for token in (*SPECIAL_TOKENS, *vocab))


def vocabulary_digest(vocab: list[str]) -> str:
    """The SHA-256 of its ``vocab.txt``: what tells the vocabularies of two models of one size apart."""
    return hashlib.sha256(vocab_txt(vocab).encode("utf-8")).hexdigest()


def write_vocab_txt(path: Path, vocab: list[str]) -> None:
    atomic.write_text(path, vocab_txt(vocab))


def read_vocab_txt(path: Path) -> list[str]:
    """The vocabulary in a vocab.txt, without the special tokens that stand first.

    Raises:
        InputError: the file is missing or is not a vocab.txt of this program.
    """
    try:
        tokens = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except FileNotFoundError:
        raise InputError(f"{path}: the vocabulary is not there; the trainer writes it beside every model") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the vocabulary is not UTF-8 at byte {error.start}; use the trainer's") from None
    specials, vocab = tuple(tokens[: len(SPECIAL_TOKENS)]), tokens[len(SPECIAL_TOKENS) :]
    if specials != SPECIAL_TOKENS:
        raise InputError(f"{path}: must begin with {' '.join(SPECIAL_TOKENS)}, one a line; use the trainer's")
    for position, token in enumerate(vocab, start=len(SPECIAL_TOKENS) + 1):
        if len(token) != 1 or token.isspace():
            raise InputError(f"{path}: line {position} is {token!r}, not one visible character; use the trainer's")
    if len(set(vocab)) != len(vocab):
        raise InputError(f"{path}: repeats a character; use the trainer's")
    return vocab
