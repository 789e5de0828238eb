"""What a model puts into the blanks of a few fixed sentences: the picture of learning that needs no statistics.

A sentence is written with its blank in brackets, around the character that belongs there: ``北京是中国的首[都]。``, or
around [MASK] where nothing in particular does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pipeline.data.masked_pairs import Batch
from pipeline.data.pairing import NO_PAIR
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, MASK, SEP, UNK, Tokenizer
from pipeline.files.scores import Blank, Filled
from pipeline.model.bert import Bert
from pipeline.model.loss import at_least_float32
from pipeline.model.precision import Precision
from pipeline.score.held_out import answers
from pipeline.stage import InputError

# From what counting knows (a neighbour) to what takes the sentence, or the world.
SENTENCES = (
    "北京是中国的首[都]。",
    "他在大[学]里教书。",
    "太阳从东[方]升起。",
    "第二次世界大[战]于一九四五年结束。",
    "这本书是一九八四[年]出版的。",
    "长江是中国最长的河[流]。",
    "他出生在浙江[省]杭州市。",
    "天下大势，分久必合，合久必[分]。",
)
SHOWN = 5  # characters


def blank_of(sentence: str, place: str) -> Blank:
    """The blank that ``sentence`` is written with; ``place`` says where it stands, for the error message.

    Raises:
        InputError: not exactly one blank, or more than one character in it.
    """
    parts = re.findall(r"\[([^\[\]]*)\]", sentence)
    if len(parts) != 1 or (parts[0] != "MASK" and len(parts[0]) != 1):
        raise InputError(f"{place}: needs one blank, as in 首[都] or 首[MASK], but is {sentence!r}")
    before, _, after = re.split(r"(\[[^\[\]]*\])", sentence)
    return Blank(before, after, None if parts[0] == "MASK" else parts[0])


def fixed_blanks() -> list[Blank]:
    """The blanks of ``SENTENCES``."""
    return [blank_of(sentence, sentence) for sentence in SENTENCES]


def read_blanks(path: Path) -> list[Blank]:
    """The blanks of a text file, one sentence a line; empty lines are passed over.

    Raises:
        InputError: missing file, not UTF-8, no sentence, a line without its one blank.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: sentences with a blank are missing") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; save it as such") from None
    found = [blank_of(line.strip(), f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise InputError(f"{path}: holds no sentence; write one a line, as 北京是中国的首[都]。")
    return found


def fill(model: Bert, tokenizer: Tokenizer, blanks: Sequence[Blank], precision: Precision) -> list[Filled]:
    """The likeliest characters for each blank, and the probability of the right one."""
    batches = [_batch(blank, tokenizer, model.shape.max_positions) for blank in blanks]
    found = []
    for batch, (_, logits, _) in zip(batches, answers(model, batches, precision), strict=True):
        shares = torch.softmax(at_least_float32(logits)[0], -1)
        best, order = shares[FIRST_CHARACTER:].topk(min(SHOWN, len(shares) - FIRST_CHARACTER))
        characters = [tokenizer.tokens[FIRST_CHARACTER + number] for number in order.tolist()]
        right = int(batch.labels[0])
        found.append(Filled(characters, best.tolist(), None if right == UNK else float(shares[right])))
    return found


def _batch(blank: Blank, tokenizer: Tokenizer, longest: int) -> Batch:
    """A batch of one sequence, one target; the label is [UNK] where nothing known belongs into the blank."""
    texts = (blank.before, blank.after, blank.right or "")
    before, after, label = (tokenizer.encode([text])[0].astype(np.int64) for text in texts)
    tokens = np.concatenate([[CLS], before, [MASK], after, [SEP]])
    if len(tokens) > longest:
        raise InputError(f"{blank.before}[…]{blank.after}: {len(tokens)} tokens, but the model takes {longest}")
    zeros = np.zeros(len(tokens), dtype=np.int64)
    one = np.zeros(1, dtype=np.int64)
    return Batch(
        tokens=tokens,
        segments=zeros,
        positions=np.arange(len(tokens)),
        lengths=one + len(tokens),
        targets=one + 1 + len(before),
        labels=one + (label[0] if len(label) else UNK),
        next_labels=one + NO_PAIR,
        examples=one,
    )
