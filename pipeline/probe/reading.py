"""The model to be probed: a checkpoint of ours, a folder of export_model.py, or a BERT's folder for `transformers`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from pipeline.data.alphabet import SPECIALS, Alphabet
from pipeline.data.tokenizer import Tokenizer
from pipeline.export.causal_tokenizer import causal_tokenizer_json
from pipeline.export.causal_weights import our_causal_weights, read_causal
from pipeline.export.weights import our_weights, read_weights
from pipeline.files import checkpoint
from pipeline.files.json_object import read_json_object
from pipeline.files.run_record import CAUSAL_LM, objective_of, recorded_config
from pipeline.files.vocabulary import SPECIAL_TOKENS, read_vocab_txt, vocabulary_digest
from pipeline.model.bert import Bert, Shape
from pipeline.model.gpt import Gpt, GptShape
from pipeline.probe.subject import CausalSubject, MaskedSubject, Subject
from pipeline.stage import InputError

LONGEST = 512  # tokens of a sequence that a model is given


def read_subject(path: Path) -> Subject:
    """The model at ``path``, a .pth, a .safetensors of results/study/, or a folder.

    Raises:
        InputError: it is missing or damaged, of a kind that the probe does not know, or its weights are not finite.
    """
    subject = _from_folder(path) if path.is_dir() else _from_checkpoint(path)
    if not all(bool(parameter.isfinite().all()) for parameter in subject.model.parameters()):
        raise InputError(
            f"{path}: some of its weights are not finite, as after a divergence; use an earlier checkpoint"
        )
    return subject


def _from_checkpoint(path: Path) -> Subject:
    content = checkpoint.load(path)
    if objective_of(content) == CAUSAL_LM:
        causal = read_causal(path)
        return CausalSubject(causal.model(), causal.alphabet, causal.context, causal.step)
    trained = read_weights(path)
    vocab = read_vocab_txt(path.with_name("vocab.txt"))
    if vocabulary_digest(vocab) != trained.vocabulary:
        name = path.with_name("vocab.txt")
        raise InputError(f"{name}: is the vocabulary of another model; put the one that the trainer wrote there")
    model = Bert(trained.shape)
    model.load_state_dict(trained.weights)
    length = min(int(recorded_config(content).get("length", LONGEST)), trained.shape.max_positions)
    return MaskedSubject(model, Tokenizer(vocab), [*SPECIAL_TOKENS, *vocab], length, trained.step)


def _from_folder(folder: Path) -> Subject:
    config = read_json_object(folder / "config.json", "config.json", "give a folder of export_model.py or of a BERT")
    kind = config.get("model_type")
    if kind == "bert":
        return _bert(folder, config)
    if kind == "gpt2":
        return _gpt2(folder, config)
    raise InputError(
        f"{folder}: its model_type is {kind!r}; the probe knows bert, and gpt2 as export_model.py makes it"
    )


def _tensors(folder: Path) -> dict[str, Tensor]:
    path = folder / "model.safetensors"
    try:
        return safetensors.torch.load(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: is missing; save the model with safetensors") from None
    except SafetensorError:
        raise InputError(f"{path}: is damaged; save the model again") from None


def _bert(folder: Path, config: dict[str, Any]) -> Subject:
    if config.get("hidden_act", "gelu") != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
        raise InputError(
            f"{folder}: has another activation than GELU, or relative positions; the probe knows plain BERT"
        )
    try:
        shape = Shape(
            vocab_size=config["vocab_size"],
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            heads=config["num_attention_heads"],
            ffn=config["intermediate_size"],
            max_positions=config["max_position_embeddings"],
            dropout=0.0,
            attention_dropout=0.0,
            init_std=0.02,
            head="bert",
        )
        weights = our_weights(folder / "model.safetensors", _tensors(folder), shape)
    except (KeyError, TypeError, RuntimeError, ZeroDivisionError):
        raise InputError(f"{folder / 'config.json'}: does not give the sizes of a BERT; save the model again") from None
    names = _vocabulary(folder / "vocab.txt", shape.vocab_size)
    # Our tokenizer has five special tokens and single characters at the lowest ids; the other tokens stand behind them.
    first = [names.index(token) for token in SPECIAL_TOKENS]
    single = [number for number, token in enumerate(names) if len(token) == 1 and not token.isspace()]
    placed = {*first, *single}
    order = [*first, *single, *(number for number in range(len(names)) if number not in placed)]
    for name in ("token_embedding.weight", "decoder.weight", "decoder.bias"):
        weights[name] = weights[name][order]
    model = Bert(shape)
    model.load_state_dict(weights)
    tokenizer = Tokenizer([names[number] for number in single])
    return MaskedSubject(model, tokenizer, [names[n] for n in order], min(LONGEST, shape.max_positions), None)


def _vocabulary(path: Path, size: int) -> list[str]:
    try:
        names = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except FileNotFoundError:
        raise InputError(f"{path}: is missing; the tokens of the model are read from it") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8; use the model's own") from None
    if len(names) != size or not set(SPECIAL_TOKENS) <= set(names) or len(set(names)) != size:
        raise InputError(
            f"{path}: must hold the {size} tokens of config.json, each once, {SPECIAL_TOKENS[0]} among them"
        )
    return names


def _gpt2(folder: Path, config: dict[str, Any]) -> Subject:
    alphabet = _alphabet(folder / "tokenizer.json")
    try:
        shape = GptShape(
            vocab_size=config["vocab_size"],
            layers=config["n_layer"],
            hidden=config["n_embd"],
            heads=config["n_head"],
            ffn=config.get("n_inner") or 4 * config["n_embd"],
            max_positions=config["n_positions"],
            dropout=0.0,
            attention_dropout=0.0,
            init_std=0.02,
        )
        model = Gpt(shape)
        model.load_state_dict(our_causal_weights(folder / "model.safetensors", _tensors(folder), shape))
    except (KeyError, TypeError, RuntimeError, ZeroDivisionError):
        raise InputError(f"{folder / 'config.json'}: does not give the sizes of a GPT-2; export it again") from None
    return CausalSubject(model, alphabet, min(LONGEST, shape.max_positions), None)


def _alphabet(path: Path) -> Alphabet:
    """The alphabet whose tokenizer.json is at ``path``: the one that would be written the same."""
    written = read_json_object(path, "tokenizer.json", "give a folder of export_model.py")
    model = written.get("model")
    vocab = model.get("vocab") if isinstance(model, dict) else None
    names = list(vocab) if isinstance(vocab, dict) else []
    characters = "".join(names[len(SPECIALS) :])
    for white_space in (True, False):
        for alphabet in (Alphabet("char", characters, white_space), Alphabet("byte", "", white_space)):
            if causal_tokenizer_json(alphabet) == written:
                return alphabet
    raise InputError(
        f"{path}: is not a tokenizer of characters or bytes; the probe knows GPT-2 as export_model.py makes it"
    )
