"""Our weights and sizes under the names of the `transformers` library's ``BertForPreTraining``.

The fused query, key and value matrix is cut into its three. The MLM decoder is tied to the token embedding, so it is
not stored twice. Label 0 of next sentence prediction means "is next" in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline.data.tokenizer import PAD
from pipeline.files import checkpoint
from pipeline.files.run_record import MASKED_LM, objective_of, refuse_other_objective
from pipeline.model.bert import NORM_EPSILON, Bert, Shape
from pipeline.stage import InputError

_OUTSIDE_LAYERS = {
    "token_embedding": "bert.embeddings.word_embeddings",
    "position_embedding": "bert.embeddings.position_embeddings",
    "segment_embedding": "bert.embeddings.token_type_embeddings",
    "embedding_norm": "bert.embeddings.LayerNorm",
    "pooler": "bert.pooler.dense",
    "transform": "cls.predictions.transform.dense",
    "transform_norm": "cls.predictions.transform.LayerNorm",
    "next_sentence": "cls.seq_relationship",
}
_IN_LAYER = {
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "output_norm": "output.LayerNorm",
}


@dataclass(frozen=True)
class TrainedModel:
    """A model as a checkpoint holds it."""

    step: int
    shape: Shape
    weights: dict[str, Tensor]  # on the CPU, by the names of ``Bert``
    seed: int  # of the run
    dataset: str  # fingerprint of what it was trained on
    vocabulary: str  # SHA-256 of its vocab.txt


def read_weights(path: Path) -> TrainedModel:
    """The model in the checkpoint at ``path``.

    Raises:
        InputError: the checkpoint is missing or damaged, or its weights are not those of the sizes that it names.
    """
    content = checkpoint.load(path)
    refuse_other_objective(path, objective_of(content), MASKED_LM)
    try:
        shape, weights = Shape(**content["shape"]), content["model"]
        with torch.device("meta"):  # shapes alone, no memory
            expected = {name: tensor.shape for name, tensor in Bert(shape).state_dict().items()}
        found = {name: tensor.shape for name, tensor in weights.items()}
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, ZeroDivisionError):
        raise InputError(f"{path}: does not hold a model of this program; use a .pth of train_large_100k.py") from None
    odd = sorted(name for name in {**expected, **found} if expected.get(name) != found.get(name))
    if odd:
        raise InputError(f"{path}: {len(odd)} weights do not fit the sizes in the file, such as {odd[0]}; use another")
    return TrainedModel(content["step"], shape, weights, content["seed"], content["dataset"], content["vocabulary"])


def transformers_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Float32 tensors by the names of ``BertForPreTraining``, from those of a ``Bert`` with ``head="bert"``.

    Shapes stay, but for query, key and value: [3 hidden, ...] becomes three of [hidden, ...].
    """
    renamed = {}
    for name, tensor in weights.items():
        module, _, kind = name.rpartition(".")
        tensor = tensor.float().contiguous()
        if module == "decoder":
            if kind == "bias":
                renamed["cls.predictions.bias"] = tensor
        elif not module.startswith("layers."):
            renamed[f"{_OUTSIDE_LAYERS[module]}.{kind}"] = tensor
        else:
            _, number, module = module.split(".")
            prefix = f"bert.encoder.layer.{number}"
            if module == "query_key_value":
                for part, piece in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                    renamed[f"{prefix}.attention.self.{part}.{kind}"] = piece.contiguous()
            else:
                renamed[f"{prefix}.{_IN_LAYER[module]}.{kind}"] = tensor
    return renamed


def transformers_config(shape: Shape) -> dict[str, object]:
    """The content of config.json for a model of these sizes."""
    return {
        "architectures": ["BertForPreTraining"],
        "model_type": "bert",
        "vocab_size": shape.vocab_size,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.ffn,
        "max_position_embeddings": shape.max_positions,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": shape.dropout,
        "attention_probs_dropout_prob": shape.attention_dropout,
        "initializer_range": shape.init_std,
        "layer_norm_eps": NORM_EPSILON,
        "pad_token_id": PAD,
        "tie_word_embeddings": True,
        "dtype": "float32",
    }


def our_weights(path: Path, tensors: dict[str, Tensor], shape: Shape) -> dict[str, Tensor]:
    """Weights by the names of ``Bert``, from tensors by those of ``BertForPreTraining`` or ``BertForMaskedLM``.

    Without pooler and NSP head, as the second has it, these are zeros. ``path`` is where they are from, for messages.

    Raises:
        InputError: a tensor is missing or has another shape than config.json says.
    """
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in Bert(shape).state_dict().items()}
    found = {}
    for name, size in expected.items():
        module, _, kind = name.rpartition(".")
        if module in ("pooler", "next_sentence") and f"{_OUTSIDE_LAYERS[module]}.{kind}" not in tensors:
            found[name] = torch.zeros(size)
            continue
        parts = [tensors.get(theirs) for theirs in _their_names(module, kind)]
        whole = [part.float() for part in parts if part is not None]
        found[name] = torch.cat(whole) if len(whole) == len(parts) else torch.empty(0)
        if found[name].shape != size:
            raise InputError(f"{path}: its {_their_names(module, kind)[0]} is missing or does not fit config.json")
    return found


def _their_names(module: str, kind: str) -> list[str]:
    """The tensors of `transformers` that make up one of ours."""
    if module == "decoder":
        return ["bert.embeddings.word_embeddings.weight" if kind == "weight" else "cls.predictions.bias"]
    if not module.startswith("layers."):
        return [f"{_OUTSIDE_LAYERS[module]}.{kind}"]
    _, number, module = module.split(".")
    prefix = f"bert.encoder.layer.{number}"
    if module == "query_key_value":
        return [f"{prefix}.attention.self.{part}.{kind}" for part in ("query", "key", "value")]
    return [f"{prefix}.{_IN_LAYER[module]}.{kind}"]
