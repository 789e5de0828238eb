"""Our tokenizer as files of the `tokenizers` and `transformers` libraries: one token a visible character, case kept.

Two things are the libraries' way and not the trainer's. The special tokens written out in a text, such as ``[MASK]``,
are read as special tokens (``split_special_tokens=True`` turns that off). And nothing is cut to a length unless asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.data.tokenizer import CLS, SEP
from pipeline.files.vocabulary import SPECIAL_TOKENS

# Python's str.isspace counts four control characters as white space that the library's \s does not.
_VISIBLE = r"[^\s\x{1c}-\x{1f}]"


def tokenizer_json(tokens: Sequence[str]) -> dict[str, object]:
    """The content of tokenizer.json. ``tokens`` are all of the model's, by id."""
    cls, sep = SPECIAL_TOKENS[CLS], SPECIAL_TOKENS[SEP]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, **special_token(token)} for number, token in enumerate(SPECIAL_TOKENS)],
        "normalizer": None,
        # Every match is a token and everything else is removed.
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": _VISIBLE}, "behavior": "Removed", "invert": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [_piece(cls, 0), _text("A", 0), _piece(sep, 0)],
            "pair": [_piece(cls, 0), _text("A", 0), _piece(sep, 0), _text("B", 1), _piece(sep, 1)],
            "special_tokens": {
                token: {"id": token, "ids": [number], "tokens": [token]} for token, number in ((cls, CLS), (sep, SEP))
            },
        },
        "decoder": {"type": "Fuse"},  # no spaces between characters
        "model": {
            "type": "WordLevel",
            "vocab": {token: number for number, token in enumerate(tokens)},
            "unk_token": "[UNK]",
        },
    }


def tokenizer_config(max_positions: int) -> dict[str, object]:
    """The content of tokenizer_config.json. ``max_positions`` is the longest sequence that the model can take."""
    return {
        # BertTokenizer would cut words into pieces and drop accents; this class does what tokenizer.json says.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_positions,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
        **{f"{token.strip('[]').lower()}_token": token for token in SPECIAL_TOKENS},
        "added_tokens_decoder": {str(number): special_token(token) for number, token in enumerate(SPECIAL_TOKENS)},
    }


def special_token(token: str) -> dict[str, object]:
    """A special token in the form of the libraries: taken as it is written, with nothing of the text around it."""
    return {
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _piece(token: str, segment: int) -> dict[str, object]:
    return {"SpecialToken": {"id": token, "type_id": segment}}


def _text(name: str, segment: int) -> dict[str, object]:
    return {"Sequence": {"id": name, "type_id": segment}}
