"""How fast the trainer is, beside the loops that its users would otherwise write.

    python benchmarks/trainer.py                                       # the paper's shape, on the device at hand
    python benchmarks/trainer.py --rounds 20 --batch-size 128 --device cuda

Three ways to take the same optimizer steps, on the same batches with the same dropout and precision, each in a process
of its own as its users would run it, one after the other in every round, so that a disturbance of the machine hits all
three, and after so many untimed steps that its memory grows no more:

    ours          packed sequences, vocabulary head on the masked positions only, metrics kept on the device
    transformers  the library's BertForPreTraining in a plain loop, its usual padding to the full length
    published     the published design: nn.TransformerEncoder, no attention mask, vocabulary head on every position

It prints real tokens/s (padding does not count), the medians of the ratios within each round, the peak memory of each,
and what share of our time the model's matrix multiplications, those of attention included, take when run alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
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
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.data.masked_pairs import Batch, PairCorpus, TrainingBatches, split_batch
from pipeline.data.pairing import NO_PAIR
from pipeline.data.tokenizer import PAD, Tokenizer
from pipeline.files.dataset import Document
from pipeline.model.bert import Bert, to_device
from pipeline.model.loss import RunningTotals
from pipeline.model.precision import Precision
from pipeline.train.memory import keep_freed_memory
from pipeline.train.optimizer import Optimizer
from pipeline.train.settings import PRESETS, Settings

VOCABULARY = 10_049  # characters, as in the published run
WARM_UP = 10  # steps before the first that is timed; a run takes 100,000 behind them
Step = Callable[[Batch], None]


def wikipedia_like(settings: Settings, seed: int = 0) -> TrainingBatches:
    """Batches of random characters whose sentences last as long as in Chinese Wikipedia (log-normal, median 39)."""
    random = np.random.default_rng(seed)
    vocab = [chr(0x4E00 + number) for number in range(VOCABULARY)]
    lengths = np.clip(np.exp(random.normal(3.66, 0.6, 20_000)), 5, 200).astype(int)
    codes = random.integers(0x4E00, 0x4E00 + VOCABULARY, lengths.sum()).astype(np.uint32)
    text = codes.tobytes().decode("utf-32-le")
    ends = np.cumsum(lengths)
    sentences = [text[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    documents = [Document("", page, None, None, "", "", start, 10) for page, start in enumerate(range(0, 20_000, 10))]
    corpus = PairCorpus(sentences, documents, Tokenizer(vocab), settings.length, settings.mask_rate, True)
    return TrainingBatches(corpus, settings.effective_batch, settings.seed)


def ours(settings: Settings, device: torch.device, precision: Precision) -> Step:
    keep_freed_memory()
    model = Bert(settings.shape(VOCABULARY + 5)).to(device)
    optimizer = Optimizer(model, settings)
    totals = RunningTotals(np.ones(VOCABULARY + 5, dtype=bool), device)

    def step(batch: Batch) -> None:
        inputs = to_device(split_batch(batch, 1)[0], settings.heads, device)
        with precision.autocast():
            mlm_logits, next_logits = model(inputs)
        mlm, nsp = totals.add(mlm_logits, next_logits, inputs)
        (mlm / len(batch.labels) + nsp / len(batch.lengths)).backward()
        optimizer.step(settings.lr)

    return step


def padded(batch: Batch, length: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Tokens, segments, real (int64 [B, L] each), labels [B, L] with -100 where not masked, and NSP labels [B]."""
    grid = np.zeros((4, len(batch.lengths), length), dtype=np.int64)
    grid[0], grid[3] = PAD, NO_PAIR
    rows = np.repeat(np.arange(len(batch.lengths)), batch.lengths)
    labels = np.full(len(batch.tokens), NO_PAIR)
    labels[batch.targets] = batch.labels
    for plane, values in enumerate((batch.tokens, batch.segments, np.ones_like(batch.tokens), labels)):
        grid[plane, rows, batch.positions] = values
    tokens, segments, real, targets = torch.from_numpy(grid).to(device).unbind()
    return tokens, segments, real, targets, torch.from_numpy(batch.next_labels).to(device)


def transformers_model(settings: Settings, vocab_size: int) -> nn.Module:
    """The library's model of the same sizes."""
    from transformers import BertConfig, BertForPreTraining

    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=settings.ffn,
        max_position_embeddings=settings.max_positions,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.attention_dropout,
    )
    model: nn.Module = BertForPreTraining(config)
    return model


def transformers_loop(settings: Settings, device: torch.device, precision: Precision) -> Step:
    model = transformers_model(settings, VOCABULARY + 5).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr)

    def step(batch: Batch) -> None:
        tokens, segments, real, labels, next_labels = padded(batch, settings.length, device)
        with precision.autocast():
            output = model(
                input_ids=tokens,
                token_type_ids=segments,
                attention_mask=real,
                labels=labels,
                next_sentence_label=next_labels,
            )
        output.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()
        optimizer.zero_grad()

    return step


class PublishedDesign(nn.Module):
    """nn.TransformerEncoder over embeddings, two bare heads, no attention mask."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.token = nn.Embedding(VOCABULARY + 5, settings.hidden)
        self.position = nn.Embedding(settings.max_positions, settings.hidden)
        self.segment = nn.Embedding(2, settings.hidden)
        self.norm = nn.LayerNorm(settings.hidden)
        layer = nn.TransformerEncoderLayer(
            settings.hidden, settings.heads, settings.ffn, settings.dropout, activation="gelu", batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, settings.layers, enable_nested_tensor=False)
        self.mlm = nn.Linear(settings.hidden, VOCABULARY + 5)
        self.nsp = nn.Linear(settings.hidden, 2)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, tokens: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        hidden = self.dropout(self.norm(self.token(tokens) + self.position(places) + self.segment(segments)))
        hidden = self.encoder(hidden)
        return self.mlm(hidden), self.nsp(hidden[:, 0])


def published(settings: Settings, device: torch.device, precision: Precision) -> Step:
    model = PublishedDesign(settings).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr)

    def step(batch: Batch) -> None:
        tokens, segments, _, labels, next_labels = padded(batch, settings.length, device)
        with precision.autocast():
            mlm_logits, next_logits = model(tokens, segments)
            loss = F.cross_entropy(mlm_logits.flatten(0, 1), labels.flatten()) + F.cross_entropy(
                next_logits, next_labels
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()
        optimizer.zero_grad()

    return step


CONTESTANTS = {"ours": ours, "transformers": transformers_loop, "published": published}


def matmuls_alone(settings: Settings, batch: Batch, device: torch.device, dtype: torch.dtype) -> Callable[[], float]:
    """A function that runs the matrix multiplications of one of our steps and nothing else; it returns their FLOPs."""
    hidden, ffn, tokens, masked = settings.hidden, settings.ffn, len(batch.tokens), len(batch.labels)

    def behind_attention(rows: int) -> list[tuple[int, ...]]:
        return [(rows, hidden, hidden), (rows, hidden, ffn), (rows, ffn, hidden)]

    shapes: list[tuple[int, ...]] = [(tokens, hidden, 3 * hidden)] * settings.layers
    shapes += behind_attention(tokens) * (settings.layers - 1) + behind_attention(masked + len(batch.lengths))
    shapes += [(masked, hidden, hidden), (masked, hidden, VOCABULARY + 5)]
    for grid in to_device(split_batch(batch, 1)[0], settings.heads, device).grids:
        sequences, _, _, longest = grid.mask.shape
        width, pairs = hidden // settings.heads, sequences * settings.heads
        shapes += [(pairs, longest, width, longest), (pairs, longest, longest, width)] * settings.layers
    made = {
        shape: [torch.randn(*shape[:-3], n, m, device=device, dtype=dtype) for n, m in _operands(*shape[-3:])]
        for shape in set(shapes)
    }

    def run() -> float:
        for shape in shapes:
            x, weight, gradient = made[shape]
            x @ weight.mT, gradient @ weight, gradient.mT @ x
        return sum(6.0 * math.prod(shape) for shape in shapes)

    return run


def _operands(rows: int, inner: int, outer: int) -> list[tuple[int, int]]:
    """Sizes of the input, the weight and the output's gradient of one product."""
    return [(rows, inner), (outer, inner), (rows, outer)]


def timed(action: Callable[[], object], device: torch.device) -> float:
    """Seconds that ``action`` takes, the device's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


class Process:
    """A contestant in a process of its own, warmed up, which waits until it is asked."""

    def __init__(self, name: str, settings: Settings, device: str, precision: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, name, settings, device, precision), daemon=True).start()
        self.seconds(WARM_UP)

    def seconds(self, number: int) -> float:
        """What the step on batch ``number`` takes, taken straight after the one before it, as in training."""
        self._pipe.send(number)
        return self._pipe.recv()

    def peak_memory(self) -> float:
        """GiB at most in use until now; the process ends."""
        self._pipe.send(None)
        return self._pipe.recv()


def _serve(pipe: Connection, name: str, settings: Settings, device_name: str, precision_name: str) -> None:
    device = torch.device(device_name)
    step, batches = CONTESTANTS[name](settings, device, Precision(precision_name, device)), wikipedia_like(settings)
    for number in range(1, WARM_UP):
        step(batches[number])
    while (number := pipe.recv()) is not None:
        step(batches[number - 1])
        pipe.send(timed(partial(step, batches[number]), device))
    if device.type == "cuda":
        pipe.send(torch.cuda.max_memory_allocated() / 2**30)
    else:
        pipe.send(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default: 7)")
    parser.add_argument("--batch-size", type=int, default=32, help="sequences to a step (default: 32)")
    parser.add_argument("--dropout", type=float, default=0.1, help="dropout of hidden states (default: 0.1)")
    parser.add_argument("--attention-dropout", type=float, default=0.1, help="of attention weights (default: 0.1)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16, fp16 (default: auto)")
    parser.add_argument("--without", nargs="*", default=[], choices=CONTESTANTS, help="contestants to leave out")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    precision = Precision(arguments.precision, device)
    settings = dataclasses.replace(
        PRESETS["paper-100k"],
        batch_size=arguments.batch_size,
        accumulation=1,
        dropout=arguments.dropout,
        attention_dropout=arguments.attention_dropout,
    )
    keep_freed_memory()  # for the products alone, as for ours
    names = [name for name in CONTESTANTS if name not in arguments.without]
    batches = wikipedia_like(settings)
    processes = {name: Process(name, settings, arguments.device, arguments.precision) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in [*names, "matmuls"]}
    rates, tokens = [], []
    for number in range(WARM_UP + 1, WARM_UP + 1 + arguments.rounds):
        batch = batches[number]
        for name in names:
            seconds[name].append(processes[name].seconds(number))
        alone = matmuls_alone(settings, batch, device, precision.dtype)
        timed(alone, device)
        seconds["matmuls"].append(timed(alone, device))
        rates.append(alone() / seconds["matmuls"][-1])
        tokens.append(len(batch.tokens))
        shown = "  ".join(f"{name} {seconds[name][-1]:.3f} s" for name in seconds)
        print(f"round {number - WARM_UP}: {tokens[-1]} tokens  {shown}", flush=True)

    counted = {name: np.array(values) for name, values in seconds.items()}
    shape = f"{settings.layers} x {settings.hidden}, {settings.batch_size} x {settings.length}"
    print(f"\n{shape}, {precision.name}, dropout {settings.dropout}, on attention {settings.attention_dropout}")
    print(f"{'':<14}{'real tokens/s':>14}{'ours is':>10}{'peak memory':>14}")
    for name in names:
        rate = np.median(np.array(tokens) / counted[name])
        ratio = np.median(counted[name] / counted["ours"])
        print(f"{name:<14}{rate:>14,.0f}{ratio:>8.2f} x{processes[name].peak_memory():>10.2f} GiB")
    share, rate = np.median(counted["matmuls"] / counted["ours"]), np.median(rates)
    print(f"the matrix multiplications alone: {rate / 1e9:,.0f} GFLOP/s; ours reaches {100 * share:.0f} % of it")


if __name__ == "__main__":
    main()
