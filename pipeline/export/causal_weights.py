"""A causal model out of its checkpoint, and under the names of the `transformers` library's ``GPT2LMHeadModel``.

GPT-2 keeps its matrices transposed (``Conv1D``), and the output is tied to the token embedding, so it is not stored
twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline.data.alphabet import END, Alphabet, alphabet_from
from pipeline.files import checkpoint
from pipeline.files.run_record import CAUSAL_LM, objective_of, recorded_config, refuse_other_objective
from pipeline.model.gpt import NORM_EPSILON, Gpt, GptShape
from pipeline.stage import InputError

_OUTSIDE_LAYERS = {
    "token_embedding": "transformer.wte",
    "position_embedding": "transformer.wpe",
    "final_norm": "transformer.ln_f",
}
_IN_LAYER = {
    "attention_norm": "ln_1",
    "query_key_value": "attn.c_attn",
    "attention_output": "attn.c_proj",
    "feed_forward_norm": "ln_2",
    "up": "mlp.c_fc",
    "down": "mlp.c_proj",
}


@dataclass(frozen=True)
class TrainedCausal:
    """A causal model as a checkpoint holds it."""

    step: int
    shape: GptShape
    weights: dict[str, Tensor]  # on the CPU, by the names of ``Gpt``
    alphabet: Alphabet
    context: int  # symbols that it was trained to see
    seed: int  # of the run
    dataset: str  # fingerprint of what it was trained on

    def model(self) -> Gpt:
        """The model itself, in float32 or, where it was trained so, in float64."""
        model = Gpt(self.shape).to(next(iter(self.weights.values())).dtype)
        model.load_state_dict(self.weights)
        return model


def read_causal(path: Path) -> TrainedCausal:
    """The model in the checkpoint at ``path``.

    Raises:
        InputError: the checkpoint is missing or damaged, of another objective, or its parts do not fit each other.
    """
    content = checkpoint.load(path)
    refuse_other_objective(path, objective_of(content), CAUSAL_LM)
    alphabet, config = alphabet_from(content.get("alphabet")), recorded_config(content)
    try:
        shape, weights = GptShape(**content["shape"]), content["model"]
        with torch.device("meta"):  # shapes alone, no memory
            expected = {name: tensor.shape for name, tensor in Gpt(shape).state_dict().items()}
        found = {name: tensor.shape for name, tensor in weights.items()}
        context = min(int(config["length"]), shape.max_positions)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, ZeroDivisionError):
        raise InputError(f"{path}: does not hold a model of this program; use a .pth of train_causal_lm.py") from None
    odd = sorted(name for name in {**expected, **found} if expected.get(name) != found.get(name))
    if odd:
        raise InputError(f"{path}: {len(odd)} weights do not fit the sizes in the file, such as {odd[0]}; use another")
    if alphabet is None or len(alphabet) != shape.vocab_size or alphabet.digest() != content["vocabulary"]:
        raise InputError(f"{path}: its alphabet is damaged or does not fit the model; use another checkpoint")
    return TrainedCausal(content["step"], shape, weights, alphabet, context, content["seed"], content["dataset"])


def gpt2_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Float32 tensors by the names of ``GPT2LMHeadModel``, from those of a ``Gpt``."""
    renamed = {}
    for name, tensor in weights.items():
        module, _, kind = name.rpartition(".")
        tensor = tensor.float()
        if module.startswith("layers."):
            _, number, module = module.split(".")
            matrix = kind == "weight" and tensor.dim() == 2
            renamed[f"transformer.h.{number}.{_IN_LAYER[module]}.{kind}"] = (
                tensor.T if matrix else tensor
            ).contiguous()
        else:
            renamed[f"{_OUTSIDE_LAYERS[module]}.{kind}"] = tensor.contiguous()
    return renamed


def gpt2_config(shape: GptShape) -> dict[str, object]:
    """The content of config.json for a model of these sizes."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": shape.vocab_size,
        "n_embd": shape.hidden,
        "n_layer": shape.layers,
        "n_head": shape.heads,
        "n_inner": shape.ffn,
        "n_positions": shape.max_positions,
        "activation_function": "gelu",
        "embd_pdrop": shape.dropout,
        "resid_pdrop": shape.dropout,
        "attn_pdrop": shape.attention_dropout,
        "initializer_range": shape.init_std,
        "layer_norm_epsilon": NORM_EPSILON,
        "bos_token_id": END,
        "eos_token_id": END,
        "pad_token_id": END,
        "tie_word_embeddings": True,
        "dtype": "float32",
    }


def our_causal_weights(path: Path, tensors: dict[str, Tensor], shape: GptShape) -> dict[str, Tensor]:
    """Weights by the names of ``Gpt``, from tensors by those of ``GPT2LMHeadModel``; ``path`` is for messages.

    Raises:
        InputError: a tensor is missing or has another shape than config.json says.
    """
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in Gpt(shape).state_dict().items()}
    found = {}
    for name, size in expected.items():
        module, _, kind = name.rpartition(".")
        in_layer = module.startswith("layers.")
        number, inner = module.split(".")[1:] if in_layer else ("", module)
        theirs = f"transformer.h.{number}.{_IN_LAYER[inner]}" if in_layer else _OUTSIDE_LAYERS[inner]
        tensor = tensors.get(f"{theirs}.{kind}", torch.empty(0)).float()
        found[name] = tensor.T.contiguous() if in_layer and tensor.dim() == 2 else tensor
        if found[name].shape != size:
            raise InputError(f"{path}: its {theirs}.{kind} is missing or does not fit config.json")
    return found
