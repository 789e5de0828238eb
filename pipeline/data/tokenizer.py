"""One token a character. The first ids are special tokens (BERT's five, 0..4), then the vocabulary in its order.

White space is dropped unless it is asked for. A character that is not in the vocabulary is [UNK], id 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.characters.han import is_han
from pipeline.data.token_array import token_array
from pipeline.files.vocabulary import SPECIAL_TOKENS
from pipeline.stage import InputError

PAD, UNK, CLS, SEP, MASK = range(len(SPECIAL_TOKENS))
FIRST_CHARACTER = len(SPECIAL_TOKENS)
SENTENCES_AT_ONCE = 1 << 16  # encoded, or counted, together; it takes many times the memory of their ids
_LARGEST_VOCABULARY = 1 << 16  # ids are stored as uint16


class Tokenizer:
    """Characters to ids and back, for one vocabulary.

    Args:
        specials: the tokens before it; the one with id 1 stands for what is not in the vocabulary.
        white_space: it is text as any other; else it is dropped.
    """

    def __init__(
        self, vocab: Sequence[str], specials: Sequence[str] = SPECIAL_TOKENS, white_space: bool = False
    ) -> None:
        self.tokens = [*specials, *vocab]
        if len(self.tokens) > _LARGEST_VOCABULARY:
            raise InputError(f"the vocabulary has {len(vocab)} characters; ids are 16 bits wide, so drop rare ones")
        self._id_of_code = np.full(0x110000, UNK, dtype=np.uint16)
        for position, character in enumerate(vocab):
            self._id_of_code[ord(character)] = len(specials) + position
        self._is_dropped = np.zeros(0x110000, dtype=bool)
        if not white_space:
            self._is_dropped[[code for code in range(0x3001) if chr(code).isspace()]] = True

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, sentences: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """All sentences end to end: ids uint16 [T], and offsets int64 [len(sentences) + 1] where each begins."""
        ids = token_array(sum(map(len, sentences)))
        offsets = np.zeros(len(sentences) + 1, dtype=np.int64)
        for start in range(0, len(sentences), SENTENCES_AT_ONCE):
            some = sentences[start : start + SENTENCES_AT_ONCE]
            codes = np.frombuffer("".join(some).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            visible = ~self._is_dropped[codes]
            visible_before = np.concatenate([[0], np.cumsum(visible, dtype=np.int64)])
            ends = offsets[start] + visible_before[np.cumsum([len(sentence) for sentence in some])]
            ids[offsets[start] : ends[-1]] = self._id_of_code[codes[visible]]
            offsets[start + 1 : start + 1 + len(some)] = ends
        return ids[: offsets[-1]], offsets

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.tokens[identifier] for identifier in ids)

    def han_ids(self) -> np.ndarray:
        """Which ids are Han characters, bool [V]."""
        return np.array([len(token) == 1 and is_han(token) for token in self.tokens])
