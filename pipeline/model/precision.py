"""In which number format the model computes: float32, or half precision under autocast with float32 weights."""

from __future__ import annotations

import torch

from pipeline.model.device import has_float64
from pipeline.stage import InputError

NAMES = ("auto", "fp32", "bf16", "fp16", "fp64")
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "fp64": torch.float64}


class Precision:
    """A chosen precision on a device.

    ``auto`` is bf16 on CUDA from compute capability 8.0, fp16 before it, fp32 on the CPU: without AMX or AVX-512 BF16 a
    CPU emulates bf16 far more slowly, and even with AMX autocast did not pay on small models (docs/LOG.md). ``fp64`` is
    for tests of exactness. On CUDA the products of float32 are TF32 from here on, in the whole process.

    Raises:
        InputError: fp16 without CUDA, whose scaler keeps gradients from underflowing; fp64 on a device without it.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        if name == "auto" and device.type == "cuda":
            name = "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
        self.name = "fp32" if name == "auto" else name
        if self.name == "fp16" and device.type != "cuda":
            raise InputError("--precision fp16 needs a CUDA device; use fp32 or bf16")
        if self.name == "fp64" and not has_float64(device):
            raise InputError(f"--precision fp64: --device {device.type} has no float64; use --device cpu")
        if device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        self.device = device
        self.dtype = _DTYPES[self.name]
        self.weights = torch.float64 if self.name == "fp64" else torch.float32

    def autocast(self) -> torch.autocast:
        half = self.name in ("bf16", "fp16")
        return torch.autocast(self.device.type, self.dtype if half else None, enabled=half)
