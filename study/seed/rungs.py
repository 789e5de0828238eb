"""The rungs of the ladder: each measures the learner on one kind of stream, beside what it is held against.

A rung is a function of its seeds and sizes that gives a plain object for the results file. ``quick`` sizes are for the
checks: they show that a rung works, and are compared with nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.collect.sample import read_sample
from pipeline.files.packed import read_blocks
from pipeline.predictor.learner import learn
from pipeline.predictor.state import Setting, new_learner
from pipeline.stage import InputError
from study.seed.baselines import AdaptiveKneserNey, compressed, ppmd_bits
from study.seed.grid_world import count_table, exact_filter, walk
from study.seed.sequences import SOURCES

Measured = dict[str, Any]  # what a rung writes into the results file
SETTING = Setting()
SEEDS = (101, 102, 103)  # the learner's rates were chosen with seeds below 100
RECOVERIES = ((0, 20), (20, 100), (100, 500), (500, 2000))


def costs(data: bytes, setting: Setting = SETTING) -> np.ndarray:
    """Bits of each symbol of ``data`` for a fresh learner; float64 [N]."""
    return learn(new_learner(setting), np.frombuffer(data, np.uint8))[0]


def dice(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def speed(size: int, passes: int = 5) -> Measured:
    """Symbols a second on the sample by one thread, of its CPU time and by the clock; the compiler is not counted.

    Medians of ``passes``. On a machine that others use too, the clock counts their work; CPU time only loses the cache.
    """
    data = np.frombuffer(sample_text().encode()[:size], np.uint8)
    learn(new_learner(SETTING), data[:100])
    times = []
    for _ in range(passes):
        learner, cpu, clock = new_learner(SETTING), time.process_time(), time.perf_counter()
        learn(learner, data)
        times.append((time.process_time() - cpu, time.perf_counter() - clock))
    by_cpu, by_clock = np.median(times, axis=0)
    return {
        "symbols": size,
        "passes": passes,
        "symbols_per_cpu_second": size / float(by_cpu),
        "symbols_per_second": size / float(by_clock),
        "cpu_microseconds_per_symbol": 1e6 * float(by_cpu) / size,
    }


def sequences(size: int, seeds: tuple[int, ...] = SEEDS) -> Measured:
    """Regret over the floor in bits per symbol, all and last tenth, means over ``seeds``."""
    found: Measured = {}
    for name, source in SOURCES.items():
        rows = []
        for seed in seeds:
            made = source(dice(seed), size)
            over = costs(made.data) - made.floor
            ppmd = ppmd_bits(made.data)
            rows.append(
                {
                    "floor": float(made.floor.mean()),
                    "regret": float(over.mean()),
                    "last_tenth": float(over[-size // 10 :].mean()),
                    "ppmd_regret": None if ppmd is None else (ppmd - float(made.floor.sum())) / size,
                    "parametric_cost": made.parametric_cost,
                }
            )
        found[name] = {key: mean([row[key] for row in rows]) for key in rows[0]}
        found[name]["regrets"] = [row["regret"] for row in rows]
    return found


def mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def grid(length: int, seeds: tuple[int, ...] = SEEDS) -> Measured:
    """Bits per window over the last tenth of ``length`` steps and over all of them, means over worlds."""
    rows = []
    for seed in seeds:
        made = walk(dice(seed), length)
        rows.append(
            {
                "learner": costs(made.data)[1::2],
                "one-step table": count_table(made, 1),
                "two-step table": count_table(made, 2),
                "exact filter": exact_filter(made),
            }
        )
    last = length // 10
    ends = {name: float(np.mean([row[name][-last:].mean() for row in rows])) for name in rows[0]}
    whole = {name: float(np.mean([row[name].mean() for row in rows])) for name in rows[0]}
    way = [
        (row["two-step table"][-last:].mean() - row["learner"][-last:].mean())
        / (row["two-step table"][-last:].mean() - row["exact filter"][-last:].mean())
        for row in rows
    ]
    return {
        "last_tenth": ends,
        "all": whole,
        "way_from_table_to_filter": float(np.mean(way)),
        "ways": list(map(float, way)),
    }


def sample_text() -> str:
    return "\n".join(line for chapter in read_sample() for line in chapter.paragraphs)


def language(texts: dict[str, Path | None], characters: int | None) -> Measured:
    """Bits per character of each text by name (None: the sample), of its first ``characters`` where they are given."""
    found = {}
    for name, path in texts.items():
        text = sample_text() if path is None else read_text(path)
        text = text[:characters]
        data = text.encode()
        latin = len(data) < 1.5 * len(text)
        bits = costs(data)
        others = compressed(data, 12 if latin else 6)
        found[name] = {
            "characters": len(text),
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "learner": float(bits.sum()) / len(text),
            "learner_bits_per_byte": float(bits.mean()),
            **{method: None if value is None else value / len(text) for method, value in others.items()},
        }
    return found


def kneser_ney(texts: dict[str, Path | None], characters: int | None) -> Measured:
    """Bits per character of each text by adaptive Kneser-Ney, and its escapes alone; by itself, for it is slow."""
    found: Measured = {}
    for name, path in texts.items():
        text = (sample_text() if path is None else read_text(path))[:characters]
        model = AdaptiveKneserNey(6 if len(text.encode()) < 1.5 * len(text) else 3)
        bits = model.bits(text)
        found[name] = {"bits": bits / len(text), "escapes": model.escapes / len(text)}
    return found


def read_text(path: Path) -> str:
    try:
        return b"".join(read_blocks(path, 1 << 20, "give the path of a text")).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason}); convert it first") from None


def has_digits() -> bool:
    return importlib.util.find_spec("sklearn") is not None


def digits(order: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Images of digits (float64 [N, 64], 0 to 16) and labels, shuffled."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    shuffled = order.permutation(len(labels))
    return images[shuffled], labels[shuffled]


def stream_of_digits(images: np.ndarray, labels: np.ndarray, *, with_image: bool = True) -> bytes:
    """Each image as 64 letters of five grey levels, then ``=`` and its label."""
    lines = []
    for image, label in zip(images, labels, strict=True):
        pixels = bytes(97 + int(value) // 4 for value in image) if with_image else b""
        lines.append(pixels + b"=" + str(label).encode())
    return b"".join(lines)


def modalities(count: int | None) -> Measured:
    """Bits and accuracy of the label with and without the image, beside an online softmax; ``count`` images, or all."""
    if not has_digits():
        return {"skipped": "scikit-learn is not installed"}
    images, labels = digits(dice(101))
    images, labels = images[:count], labels[:count]
    found: Measured = {"images": len(labels)}
    for name, with_image in (("with_image", True), ("without_image", False)):
        data = stream_of_digits(images, labels, with_image=with_image)
        bits, hits = learn(new_learner(SETTING), np.frombuffer(data, np.uint8))
        period = len(data) // len(labels)
        found[name] = label_scores(bits[period - 1 :: period], hits[period - 1 :: period])
    found["softmax"] = softmax(images, labels)
    return found


def labelled(count: int) -> tuple[bytes, slice]:
    """A stream of digits and where its labels stand."""
    images, labels = digits(dice(101))
    return stream_of_digits(images[:count], labels[:count]), slice(65, None, 66)


def label_scores(bits: np.ndarray, hits: np.ndarray) -> dict[str, float]:
    half = len(bits) // 2
    return {
        "bits": float(bits.mean()),
        "accuracy": float(hits.mean()),
        "bits_second_half": float(bits[half:].mean()),
        "accuracy_second_half": float(hits[half:].mean()),
    }


def softmax(images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Multinomial logistic regression, one gradient step (0.02) an image, on the same grey levels."""
    features = np.concatenate([images // 4, np.ones((len(images), 1))], axis=1)
    weights = np.zeros((features.shape[1], 10))
    bits, hits = np.zeros(len(labels)), np.zeros(len(labels), dtype=bool)
    for place, (x, label) in enumerate(zip(features, labels, strict=True)):
        logits = x @ weights
        p = np.exp(logits - logits.max())
        p /= p.sum()
        bits[place], hits[place] = -np.log2(p[label]), p.argmax() == label
        p[label] -= 1
        weights -= 0.02 * np.outer(x, p)
    return label_scores(bits, hits)


def open_stream(segments: int, length: int, texts: dict[str, Path | None]) -> Measured:
    """Sources that take turns unannounced, each going on where it stopped: what that costs beside each alone."""
    random = dice(101)
    each = -(-segments // 8) * length + length
    parts: dict[str, bytes] = {
        name: SOURCES[name](dice(110 + place), each).data
        for place, name in enumerate(("markov", "copies", "lag copy", "sums mod 10", "brackets"))
    }
    parts["grid world"] = walk(dice(117), each // 2).data
    parts["三国演义"] = sample_text().encode()
    english = next((path for path in texts.values() if path), None)
    parts["text"] = read_text(english).encode() if english else SOURCES["switching"](dice(118), each).data
    order = np.concatenate([random.permutation(len(parts)) for _ in range(-(-segments // len(parts)))])[:segments]
    names, used, stream = list(parts), dict.fromkeys(parts, 0), b""
    places: list[tuple[str, int, int, int]] = []  # part, its place in it, its place in the stream, symbols
    for place in order:
        name = names[place]
        size = int(random.integers(length // 2, length * 3 // 2))
        piece = parts[name][used[name] : used[name] + size]
        places.append((name, used[name], len(stream), len(piece)))
        stream += piece
        used[name] += len(piece)
    together = costs(stream)
    alone = {name: costs(parts[name][: used[name]]) for name in names}
    found: Measured = {"symbols": int(together.size), "segments": segments, "parts": {}, "recovery": {}}
    for name in names:
        mixed = np.concatenate([together[at : at + size] for kind, _, at, size in places if kind == name])
        found["parts"][name] = {"together": float(mixed.mean()), "alone": float(alone[name].mean())}
    for first, end in RECOVERIES:
        over = [
            together[at + first : at + min(end, size)] - alone[name][begun + first : begun + min(end, size)]
            for name, begun, at, size in places
            if begun > 0
        ]
        found["recovery"][f"{first}-{end}"] = float(np.concatenate(over).mean())
    ppmd = ppmd_bits(stream)
    total_alone = sum(float(bits.sum()) for bits in alone.values())
    found |= {
        "bits_per_symbol": float(together.mean()),
        "ppmd_bits_per_symbol": None if ppmd is None else ppmd / together.size,
        "interference": float(together.sum()) / total_alone - 1,
    }
    return found
