"""The symbols that a causal model reads and predicts: characters or bytes, and the end of a document.

Id 0 is the end of a document, which also stands before the first one, so that every symbol of a text is predicted from
something. At the level ``char`` id 1 is a character outside the vocabulary, and the vocabulary follows; at the level
``byte`` ids 1..256 are the bytes of UTF-8, and nothing is unknown.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from pipeline.characters.han import is_han
from pipeline.data.token_array import token_array
from pipeline.data.tokenizer import Tokenizer
from pipeline.stage import InputError

Level = Literal["char", "byte"]
LEVELS = ("char", "byte")
END, UNKNOWN = 0, 1
END_TOKEN, UNKNOWN_TOKEN = "<|endoftext|>", "<|unknown|>"  # the first is GPT-2's name
SPECIALS = (END_TOKEN, UNKNOWN_TOKEN)
_FIRST_BYTE = 1
_CODE_POINTS = 0x110000


@dataclass(frozen=True)
class Alphabet:
    """What the ids of a causal model are.

    Args:
        level: ``char`` or ``byte``.
        characters: the vocabulary in its order, empty at the level ``byte``.
        white_space: it belongs to the text; without it, as in a dataset of Chinese, it is dropped.
    """

    level: Level
    characters: str
    white_space: bool

    def __len__(self) -> int:
        return _FIRST_BYTE + 256 if self.level == "byte" else len(SPECIALS) + len(self.characters)

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """All texts end to end: ids uint16 [T], and offsets int64 [len(texts) + 1] where each begins."""
        if self.level == "char":
            return self._tokenizer.encode(texts)
        parts = [self.kept(text).encode("utf-8", "surrogatepass") for text in texts]
        offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)])
        ids = token_array(int(offsets[-1]))
        for part, start in zip(parts, offsets, strict=False):
            ids[start : start + len(part)] = np.frombuffer(part, dtype=np.uint8)
            ids[start : start + len(part)] += _FIRST_BYTE
        return ids, offsets

    def kept(self, text: str) -> str:
        """``text`` without what is dropped of it."""
        return text if self.white_space else "".join(text.split())

    def unknown_in(self, text: str) -> list[str]:
        """The characters of ``text``, each once, that are not in the vocabulary."""
        if self.level == "byte":
            return []
        return sorted(set(self.kept(text)) - set(self.characters))

    def read_prompt(self, prompt: str, context: int) -> list[int]:
        """The symbols that a model of so many symbols of ``context`` reads for ``prompt``, END before it.

        Raises:
            InputError: it has characters outside the vocabulary, or does not fit into the context.
        """
        unknown = self.unknown_in(prompt)
        if unknown:
            listed = ", ".join(map(repr, unknown[:5]))
            raise InputError(f"--prompt: the model does not know {listed}; use characters of its training text")
        symbols = [END, *self.encode([prompt])[0].tolist()]
        if len(symbols) > context:
            raise InputError(
                f"--prompt: has {len(symbols) - 1} {self.unit}, and the context has room for {context - 1}; shorten it"
            )
        return symbols

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ``ids``; bytes that are not UTF-8 become U+FFFD, as unknown characters do."""
        if self.level == "byte":
            return self.bytes_of(ids).decode("utf-8", "replace")
        text = (self.characters[number - len(SPECIALS)] if number >= len(SPECIALS) else number for number in ids)
        return "".join("\ufffd" if each == UNKNOWN else "" if each == END else str(each) for each in text)

    def bytes_of(self, ids: Sequence[int]) -> bytes:
        """The bytes of ``ids`` at the level ``byte``."""
        return bytes(number - _FIRST_BYTE for number in ids if number >= _FIRST_BYTE)

    def han_ids(self) -> np.ndarray:
        """Which ids are Han characters, bool [V]; none at the level ``byte``."""
        if self.level == "byte":
            return np.zeros(len(self), dtype=bool)
        return np.array([*(False for _ in SPECIALS), *(is_han(character) for character in self.characters)])

    def surprise_of_unknown(self) -> float:
        """Nats that it takes to say which character an unknown one is: one of all code points outside the vocabulary.

        Without it a model that knows fewer characters would seem to code a text in fewer bits.
        """
        return math.log(_CODE_POINTS - len(self.characters))

    @property
    def unit(self) -> str:
        """What one symbol is, in the plural."""
        return "bytes" if self.level == "byte" else "characters"

    def digest(self) -> str:
        """SHA-256: what tells two alphabets of one size apart."""
        return hashlib.sha256(json.dumps(self.to_json(), ensure_ascii=True).encode("ascii")).hexdigest()

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self.characters, SPECIALS, self.white_space)


def alphabet_from(value: object) -> Alphabet | None:
    """The alphabet that ``to_json`` made ``value`` of; None where it is something else."""
    if not isinstance(value, dict) or value.keys() != {"level", "characters", "white_space"}:
        return None
    level, characters, white_space = value["level"], value["characters"], value["white_space"]
    kinds = level in LEVELS and isinstance(characters, str) and isinstance(white_space, bool)
    if not kinds or len(set(characters)) != len(characters) or (level == "byte") != (not characters):
        return None
    return Alphabet(level, characters, white_space)
