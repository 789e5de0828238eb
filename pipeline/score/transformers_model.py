"""A masked language model of the `transformers` library, asked the questions that our checkpoints are asked.

Its input is ours, character by character: each character becomes the library's token of the same name (in lower case
where it has no other), else [UNK]; masked places are masked. It answers with the likeliest of the characters that both
vocabularies have. A target that its vocabulary lacks counts as wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.data.masked_pairs import Batch
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, MASK, SEP, UNK
from pipeline.stage import InputError


class TransformersModel:
    """The model in ``folder``, which answers questions in the ids of ``tokens`` (all of our vocabulary, by id).

    Raises:
        InputError: the library is not installed, or ``folder`` holds no masked language model with its tokenizer.
    """

    def __init__(self, folder: Path, tokens: Sequence[str], device: torch.device) -> None:
        try:
            from transformers import AutoModelForMaskedLM, AutoTokenizer
        except ImportError:
            raise InputError("--hf needs the package transformers: pip install transformers") from None
        if not (folder / "config.json").is_file():
            raise InputError(f"{folder}: not a folder of a transformers model (config.json is missing); give one")
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model: Any = AutoModelForMaskedLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"{folder}: not a masked language model of transformers ({reason})") from None
        if None in (tokenizer.mask_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.unk_token_id):
            raise InputError(f"{folder}: its tokenizer lacks one of [MASK], [CLS], [SEP], [UNK]; it cannot be asked")
        self._model, self._device = model.eval().to(device), device
        self._padding = tokenizer.pad_token_id or 0
        self._theirs = _their_ids(tokenizer, tokens)
        known = np.flatnonzero(self._theirs != tokenizer.unk_token_id)
        known = known[known >= FIRST_CHARACTER]
        self._unknown = tokenizer.unk_token_id
        candidates, first = np.unique(self._theirs[known], return_index=True)
        self._candidates, self._ours = torch.from_numpy(candidates).to(device), known[first]
        self.shared_characters = len(known)

    def predict(self, batches: list[Batch], done: Callable[[], object]) -> np.ndarray:
        """Our ids of its answers, int64 [M]: the label itself where its token was chosen."""
        found = [np.empty(0, dtype=np.int64)]
        for batch in batches:
            labels = self._theirs[batch.labels]
            chosen = self._answer(batch)
            right = (chosen == labels) & (labels != self._unknown)
            ours = self._ours[np.searchsorted(self._candidates.cpu().numpy(), chosen)]
            found.append(np.where(right, batch.labels, ours))
            done()
        return np.concatenate(found)

    @torch.no_grad()
    def _answer(self, batch: Batch) -> np.ndarray:
        """Its own ids of the likeliest candidates for the targets of ``batch``, int64 [M]."""
        shape = (len(batch.lengths), int(batch.lengths.max()))
        tokens, segments, real = np.full(shape, self._padding), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        rows = np.repeat(np.arange(len(batch.lengths)), batch.lengths)
        for grid, values in ((tokens, self._theirs[batch.tokens]), (segments, batch.segments), (real, 1)):
            grid[rows, batch.positions] = values
        inputs = {"input_ids": tokens, "attention_mask": real}
        if getattr(self._model.config, "type_vocab_size", 0) > 1:
            inputs["token_type_ids"] = segments
        logits = self._model(**{name: torch.from_numpy(grid).to(self._device) for name, grid in inputs.items()}).logits
        places = (torch.from_numpy(at).to(self._device) for at in (rows[batch.targets], batch.positions[batch.targets]))
        best = logits[tuple(places)][:, self._candidates].argmax(-1)
        return self._candidates[best].cpu().numpy()


def _their_ids(tokenizer: Any, tokens: Sequence[str]) -> np.ndarray:
    """The library's id of each of our ids, int64 [V]; that of its unknown token where it has none."""
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    unknown = tokenizer.unk_token_id
    theirs = np.array([vocabulary.get(token, vocabulary.get(token.lower(), unknown)) for token in tokens])
    specials = {CLS: tokenizer.cls_token_id, SEP: tokenizer.sep_token_id, MASK: tokenizer.mask_token_id, UNK: unknown}
    for ours, their in specials.items():
        theirs[ours] = their
    theirs[0] = tokenizer.pad_token_id or 0
    return theirs.astype(np.int64)
