"""The alphabet of a causal model as files of the `tokenizers` and `transformers` libraries.

A text begins with the end-of-document symbol, as in training. That symbol written out in a text is read as the symbol,
which is the libraries' way.
"""

from __future__ import annotations

from pipeline.data.alphabet import END, END_TOKEN, SPECIALS, UNKNOWN_TOKEN, Alphabet
from pipeline.export.tokenizer import special_token

_ANY = r"[\s\S]"
_VISIBLE = r"[^\s\x{1c}-\x{1f}]"  # as Python's str.isspace has it


def causal_tokenizer_json(alphabet: Alphabet) -> dict[str, object]:
    """The content of tokenizer.json."""
    specials = SPECIALS if alphabet.level == "char" else SPECIALS[:1]
    kept = _ANY if alphabet.white_space else _VISIBLE
    split = {"type": "Split", "pattern": {"Regex": kept}, "behavior": "Removed", "invert": True}
    if alphabet.level == "char":
        vocab = {token: number for number, token in enumerate((*SPECIALS, *alphabet.characters))}
        model: dict[str, object] = {"type": "WordLevel", "vocab": vocab, "unk_token": UNKNOWN_TOKEN}
        before: dict[str, object] = split
        decoder: dict[str, object] = {"type": "Fuse"}
    else:
        letters = {letter: number + 1 for number, letter in enumerate(_letters_of_bytes())}
        model = {"type": "BPE", "vocab": {END_TOKEN: END, **letters}, "merges": []}
        bytewise = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
        before = {"type": "Sequence", "pretokenizers": [split, bytewise]}
        decoder = bytewise
    begin = {"SpecialToken": {"id": END_TOKEN, "type_id": 0}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, **special_token(token)} for number, token in enumerate(specials)],
        "normalizer": None,
        "pre_tokenizer": before,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [begin, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {END_TOKEN: {"id": END_TOKEN, "ids": [END], "tokens": [END_TOKEN]}},
        },
        "decoder": decoder,
        "model": model,
    }


def causal_tokenizer_config(alphabet: Alphabet, max_positions: int) -> dict[str, object]:
    """The content of tokenizer_config.json. ``max_positions`` is the longest sequence that the model can take."""
    specials = SPECIALS if alphabet.level == "char" else SPECIALS[:1]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_positions,
        "model_input_names": ["input_ids", "attention_mask"],
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        "bos_token": END_TOKEN,
        "eos_token": END_TOKEN,
        "pad_token": END_TOKEN,
        **({"unk_token": UNKNOWN_TOKEN} if alphabet.level == "char" else {}),
        "added_tokens_decoder": {str(number): special_token(token) for number, token in enumerate(specials)},
    }


def _letters_of_bytes() -> list[str]:
    """The letter by which GPT-2's tokenizer writes each byte: itself where it can be seen, else one from U+0100 on."""
    seen = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in seen else next(others)) for byte in range(256)]
