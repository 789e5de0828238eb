"""What a causal model must beat, on the same held-out text and in the same unit: bits per character."""

from __future__ import annotations

import math

import numpy as np

from pipeline.baselines.compressors import compressed_bits
from pipeline.baselines.kneser_ney import KneserNey
from pipeline.data.alphabet import Alphabet
from pipeline.data.causal_text import CausalText
from pipeline.score.next_symbols import whole_cost

BASELINES = ("kneser_ney", "xz", "ppmd")


def baseline_bits(train: CausalText, held_out: CausalText, alphabet: Alphabet) -> dict[str, float]:
    """Bits per character of ``held_out`` for those of ``BASELINES`` that are at hand, fitted on ``train``.

    The n-gram model is over the symbols of ``alphabet`` and pays for unknown characters as the causal model does; the
    compressors read the bytes of UTF-8.
    """
    characters = held_out.counts().characters
    model = KneserNey(train.symbols, len(alphabet))
    nats = whole_cost(held_out, alphabet, -np.log(model.probabilities(held_out.symbols)))
    compressed = compressed_bits(_bytes(train), _bytes(held_out))
    return {
        "kneser_ney": nats / math.log(2) / characters,
        **{name: bits / characters for name, bits in compressed.items()},
    }


def _bytes(text: CausalText) -> bytes:
    return "".join(article.text for article in text.articles).encode("utf-8", "surrogatepass")
