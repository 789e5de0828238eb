"""How fast the causal trainer is beside a plain loop around the `transformers` library's GPT2LMHeadModel.

    python benchmarks/causal_lm.py                          # the paper's shape: 8 x 512, windows of 512, dropout 0.1
    python benchmarks/causal_lm.py --preset small --vocabulary 11041 --rounds 40

Both take the same optimizer steps on the same windows, with the same sizes, dropout, precision and number of threads,
each in a process of its own and in turns, after untimed steps. Ours is what the trainer does at a step: totals of loss
and accuracy included. The other is the loop that the library's users write: the model with ``labels``, AdamW, clipping.

It prints symbols a second, the median of the ratios within each round, and the peak memory; and where our time goes:
the share that the matrix products of a step take when they are run alone, which no arrangement of the rest can spare.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from torch import nn

from pipeline.data.causal_text import CausalText
from pipeline.data.causal_windows import TrainingWindows, Windows
from pipeline.model.gpt import Gpt
from pipeline.model.next_loss import NextTotals
from pipeline.model.precision import Precision
from pipeline.train.memory import keep_freed_memory
from pipeline.train.objectives.causal_settings import CAUSAL_PRESETS, CausalSettings
from pipeline.train.optimizer import Optimizer

WARM_UP = 3  # steps before the first that is timed
TEXT = 1 << 20  # symbols
Step = Callable[[Windows], None]


def windows_of(settings: CausalSettings, vocabulary: int) -> TrainingWindows:
    """Windows of symbols drawn as letters are: a few common ones, many rare ones."""
    shares = 1 / np.arange(1, vocabulary)
    symbols = 1 + np.random.default_rng(0).choice(vocabulary - 1, TEXT, p=shares / shares.sum())
    text = CausalText([], np.concatenate([[0], symbols, [0]]).astype(np.uint16), np.array([0, TEXT + 1]), True)
    return TrainingWindows(text, settings.length, settings.batch_size, settings.seed)


def ours(settings: CausalSettings, vocabulary: int, precision: Precision) -> Step:
    keep_freed_memory()
    device = precision.device
    model = Gpt(settings.shape(vocabulary)).to(device).train()
    optimizer = Optimizer(model, settings)
    totals = NextTotals(np.zeros(vocabulary, dtype=bool), device)

    def step(windows: Windows) -> None:
        inputs, labels = (torch.from_numpy(array).to(device) for array in (windows.inputs, windows.labels))
        with precision.autocast():
            logits = model(inputs)
        optimizer.backward(totals.add(logits, labels) / windows.targets)
        optimizer.step(settings.lr)

    return step


def library(settings: CausalSettings, vocabulary: int, precision: Precision) -> Step:
    from transformers import GPT2Config, GPT2LMHeadModel

    device = precision.device
    config = GPT2Config(
        vocab_size=vocabulary,
        n_embd=settings.hidden,
        n_layer=settings.layers,
        n_head=settings.heads,
        n_inner=settings.ffn,
        n_positions=settings.max_positions,
        activation_function="gelu",
        embd_pdrop=settings.dropout,
        resid_pdrop=settings.dropout,
        attn_pdrop=settings.attention_dropout,
        use_cache=False,
        bos_token_id=0,
        eos_token_id=0,
    )
    model: nn.Module = GPT2LMHeadModel(config)
    model.to(device).train()
    betas = (settings.beta1, settings.beta2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr, betas=betas, weight_decay=settings.weight_decay)

    def step(windows: Windows) -> None:
        symbols = torch.from_numpy(windows.inputs).to(device)  # the library shifts the labels by one itself
        with precision.autocast():
            loss = model(input_ids=symbols, labels=symbols).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()
        optimizer.zero_grad()

    return step


CONTESTANTS = {"ours": ours, "transformers": library}


def products_alone(settings: CausalSettings, vocabulary: int, dtype: torch.dtype) -> Callable[[], float]:
    """A function that runs the matrix products of one of our steps, on the CPU, and returns their FLOPs.

    Those of attention are taken whole with their blocks of queries, forward and backward.
    """
    hidden, ffn, rows = settings.hidden, settings.ffn, settings.batch_size * settings.length
    shapes = [(rows, hidden, 3 * hidden), (rows, hidden, hidden), (rows, hidden, ffn), (rows, ffn, hidden)]
    pairs, width = settings.batch_size * settings.heads, hidden // settings.heads
    made = []
    for shape, times in [*((shape, settings.layers) for shape in shapes), ((rows, hidden, vocabulary), 1)]:
        made.append((*_operands((), *shape, dtype), times))
    for end in range(128, settings.length + 128, 128):
        until = min(end, settings.length)
        block = until - (end - 128)
        made.append((*_operands((pairs,), block, width, until, dtype), settings.layers))
        made.append((*_operands((pairs,), block, until, width, dtype), settings.layers))

    def run() -> float:
        flops = 0.0
        for x, weight, gradient, times in made:
            for _ in range(times):
                x @ weight, gradient @ weight.mT, x.mT @ gradient
            flops += 6.0 * times * x.numel() * weight.shape[-1]
        return flops

    return run


def _operands(
    many: tuple[int, ...], rows: int, inner: int, outer: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The input, the weight and the gradient of the output of one product."""
    sizes = ((rows, inner), (inner, outer), (rows, outer))
    x, weight, gradient = (torch.randn(*many, *size, dtype=dtype) for size in sizes)
    return x, weight, gradient


class Process:
    """A contestant in a process of its own, warmed up, which waits until it is asked."""

    def __init__(self, name: str, settings: CausalSettings, vocabulary: int, device: str, precision: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, name, settings, vocabulary, device, precision, torch.get_num_threads())
        context.Process(target=_serve, args=arguments, daemon=True).start()
        self._pipe.recv()

    def seconds(self, number: int) -> float:
        """What the step on batch ``number`` takes."""
        self._pipe.send(number)
        return float(self._pipe.recv())

    def peak_memory(self) -> float:
        """GiB at most in use until now; the process ends."""
        self._pipe.send(None)
        return float(self._pipe.recv())


def _serve(
    pipe: Connection, name: str, settings: CausalSettings, vocabulary: int, device: str, precision: str, threads: int
) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(settings.seed)
    chosen = Precision(precision, torch.device(device))
    step, batches = CONTESTANTS[name](settings, vocabulary, chosen), windows_of(settings, vocabulary)
    for number in range(1, WARM_UP + 1):
        step(batches[number])
    pipe.send(None)
    while (number := pipe.recv()) is not None:
        pipe.send(timed(partial(step, batches[number]), device))
    if device == "cuda":
        pipe.send(torch.cuda.max_memory_allocated() / 2**30)
    else:
        pipe.send(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 2**20)


def timed(action: Callable[[], object], device: str) -> float:
    """Seconds that ``action`` takes, the device's work included."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    arguments = parse_arguments()
    precision = Precision(arguments.precision, torch.device(arguments.device))
    settings = dataclasses.replace(
        CAUSAL_PRESETS.named[arguments.preset],
        optimizer="adamw",
        accumulation=1,
        **{
            name: value
            for name in ("batch_size", "dropout", "attention_dropout")
            if (value := getattr(arguments, name)) is not None
        },
    )
    processes = {
        name: Process(name, settings, arguments.vocabulary, arguments.device, arguments.precision)
        for name in CONTESTANTS
    }
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for number in range(WARM_UP + 1, WARM_UP + 1 + arguments.rounds):
        for name, process in processes.items():
            seconds[name].append(process.seconds(number))
        shown = "  ".join(f"{name} {values[-1]:.3f} s" for name, values in seconds.items())
        print(f"round {number - WARM_UP}: {shown}", flush=True)
    symbols = settings.batch_size * settings.length
    taken = {name: np.array(values) for name, values in seconds.items()}
    print(
        f"\n{settings.layers} x {settings.hidden}, {settings.batch_size} x {settings.length}, {arguments.vocabulary} "
        f"symbols, {precision.name}, dropout {settings.dropout}, on attention {settings.attention_dropout}, "
        f"{torch.get_num_threads()} threads"
    )
    print(f"{'':<14}{'symbols/s':>12}{'ours is':>10}{'peak memory':>14}")
    for name, values in taken.items():
        ratio = np.median(values / taken["ours"])
        memory = processes[name].peak_memory()
        print(f"{name:<14}{symbols / np.median(values):>12,.0f}{ratio:>8.2f} x{memory:>10.2f} GiB")
    if arguments.device == "cpu":
        keep_freed_memory()
        alone = products_alone(settings, arguments.vocabulary, precision.dtype)
        alone()
        each = sorted(timed(alone, "cpu") for _ in range(3))[1]
        share = each / np.median(taken["ours"])
        print(f"the matrix products alone: {alone() / each / 1e9:,.0f} GFLOP/s, {100 * share:.0f} % of our time")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=CAUSAL_PRESETS.named, default="paper", help="(default: %(default)s)")
    parser.add_argument("--vocabulary", type=int, default=127, help="symbols (default: %(default)s, the paper's)")
    parser.add_argument("--rounds", type=int, default=9, help="steps that are timed (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, help="windows to a step (default: the preset's)")
    parser.add_argument("--dropout", type=float, help="of hidden states (default: the preset's)")
    parser.add_argument("--attention-dropout", type=float, help="of attention weights (default: the preset's)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16, fp16 (default: auto)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
