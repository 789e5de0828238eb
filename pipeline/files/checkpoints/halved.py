"""A checkpoint's weights in half precision, in one safetensors file: a finished model small enough to be committed.

The tensors are float16; all else that a weight checkpoint holds stands as JSON in the file's metadata. A tensor that
shares its memory with another (the tied output) is stored once. Rounding to float16 changes a weight by at most 1 part
in 2,048; a weight beyond its range is refused.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

Content = dict[str, Any]  # a checkpoint as it is saved: its model's tensors by name, and plain values
SUFFIX = ".safetensors"
_REST = "checkpoint"  # the metadata's key


def packed(content: Content) -> bytes:
    """The file of a weight checkpoint; ``content["model"]`` holds its tensors by name.

    Raises:
        ValueError: a weight is not finite in float16.
    """
    halves: dict[str, Tensor] = {}
    shared: dict[str, str] = {}
    first: dict[tuple[int, torch.Size], str] = {}
    for name, tensor in content["model"].items():
        place = (tensor.data_ptr(), tensor.shape)
        if place in first:
            shared[name] = first[place]
            continue
        first[place] = name
        halves[name] = tensor.to(torch.float16).contiguous()
        if not halves[name].isfinite().all():
            raise ValueError(f"{name} has a weight that float16 cannot hold")
    rest = {name: value for name, value in content.items() if name != "model"}
    return save(halves, {_REST: json.dumps({"rest": rest, "shared": shared}, ensure_ascii=False, sort_keys=True)})


def unpacked(data: bytes) -> Content:
    """The content of such a file, its tensors in float32 on the CPU.

    Raises:
        ValueError: the bytes are not those of such a file.
    """
    try:
        head = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + head])["__metadata__"]
        told = json.loads(metadata[_REST])
        model = {name: tensor.float() for name, tensor in load(data).items()}
        model |= {name: model[other] for name, other in told["shared"].items()}
        return {**told["rest"], "model": model}
    except (SafetensorError, KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError("not a checkpoint in half precision") from error
