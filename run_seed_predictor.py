"""The seed predictor: one small online learner that represents, predicts and adapts, in one pass over a text.

    python run_seed_predictor.py                             # 三国演义 from the offline sample
    python run_seed_predictor.py --text my.txt               # any file, read as bytes; .jsonl: its paragraphs
    python run_seed_predictor.py --encode my.txt my.seed     # the proof that the code length is real
    python run_seed_predictor.py --decode my.seed my.txt

It predicts every bit before it sees it and learns from it at once; what it is charged, the sum of -log2 p, is its
score. It writes a history like the trainers', which check_progress.py, analyze_100k.py and visualize_results.py read. A
run that was stopped, however it was stopped, goes on from its last state when the same command is given again, and ends
with the numbers of a run that was never stopped. numba (requirements-seed.txt) makes it some hundred times faster;
without it the same code runs in Python. docs/SEED.md says what it is and what it cannot do.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tqdm import tqdm

from pipeline.collect.sample import SAMPLE_TITLE, read_sample
from pipeline.collect.text_files import read_text_files
from pipeline.command_line import StageParser
from pipeline.files import atomic, lock
from pipeline.files.history import read_history
from pipeline.files.packed import read_blocks, unpacked_name
from pipeline.files.run_record import refuse_other_run, run_differences
from pipeline.formatting import count
from pipeline.predictor import engine
from pipeline.predictor.codec import decode, encode
from pipeline.predictor.representation import ORDERS
from pipeline.predictor.state import REMOVABLE, Setting
from pipeline.predictor.stream import Stream, new_stream, take_up
from pipeline.stage import InputError, StopSignal, run_stage

LARGEST = 1 << 30  # bytes of a text
WRITE_EVERY = 5.0  # seconds between two writes of the history


def main() -> int:
    arguments = parse_arguments()
    setting = Setting(arguments.units, arguments.slot_bits, arguments.orders, tuple(arguments.without), arguments.seed)
    if arguments.encode:
        source, target = arguments.encode
        return write_code(source, target, setting)
    if arguments.decode:
        return write_text(*arguments.decode)
    name, data = text_of(arguments.text)
    data = data[: arguments.symbols or None]
    if not data:
        raise InputError(f"{name}: empty; give a text")
    every = arguments.record_every or max(100, min(10_000, len(data) // 200))
    history, state = arguments.output / "training_history.json", arguments.output / "state.npz"
    stream = new_stream(data, name, setting, every)
    for path in (history, state):
        atomic.refuse_unwritable(path)
    with lock.hold(files=[history, state]):
        if not arguments.resume:
            state.unlink(missing_ok=True)
            history.unlink(missing_ok=True)
        elif is_finished(history, stream):
            print(f"already finished: {history}; --no-resume runs it again")
            return 0
        elif state.exists():
            take_up(stream, state)
            stream.history.write(history)
            print(f"resuming after symbol {count(stream.place)}")
        elif history.exists():
            refuse_other_run(history, read_history(history).run, stream.history.run)
        stopped = pass_through(stream, history, state, arguments.save_every)
        if stopped:
            return stopped
        result = stream.finish()
        stream.history.write(history)
        state.unlink(missing_ok=True)
    print(
        f"{count(result['symbols'])} bytes, {count(result['characters'])} characters: "
        f"{result['bits_per_symbol']:.4f} bits per byte, {result['bits_per_character']:.4f} bits per character; "
        f"{history} is complete"
    )
    return 0


def pass_through(stream: Stream, history: Path, state: Path, save_every: int) -> int:
    """Learn to the end of the stream. Returns 0, or the exit code that a signal asked for, after saving."""
    bar = tqdm(
        total=len(stream.data), initial=stream.place, unit="symbol", disable=not sys.stdout.isatty(), file=sys.stdout
    )
    began, next_write = time.perf_counter() - stream.seconds, 0.0
    with StopSignal() as signals:
        while not stream.ended and not signals.code:
            records, before = len(stream.history), stream.place
            stream.advance()
            stream.seconds = time.perf_counter() - began
            signals.hold()  # the first symbols wait for the compiler; they leave nothing worth saving
            bar.update(stream.place - before)
            if len(stream.history) > records:
                say(stream, bar)
                if time.perf_counter() >= next_write:
                    stream.history.write(history)
                    next_write = time.perf_counter() + WRITE_EVERY
            if stream.place // save_every > before // save_every and not stream.ended:
                stream.save(state)
        bar.close()
        if signals.code and not stream.ended:
            stream.save(state)
            stream.history.write(history)
            print(f"stopped by a signal after symbol {count(stream.place)}, which is saved; the same command goes on")
            return signals.code
    return 0


def say(stream: Stream, bar: tqdm[None]) -> None:
    last = {key: values[-1] for key, values in stream.history.records.items()}
    line = f"{last['bits_per_symbol']:.3f} bits per symbol, {100 * last['symbol_acc']:.1f} % guessed"
    if not bar.disable:
        bar.set_postfix_str(line, refresh=False)
        return
    rate = stream.place / stream.seconds
    left = (len(stream.data) - stream.place) / rate
    print(f"symbol {stream.place}/{len(stream.data)}  {line}  {rate:.0f} symbols/s  {left:.0f} s left", flush=True)


def is_finished(history: Path, stream: Stream) -> bool:
    try:
        run = read_history(history).run
    except InputError:  # missing or damaged
        return False
    return run.get("finished") is not None and not run_differences(run, stream.history.run)


def text_of(path: Path | None) -> tuple[str, bytes]:
    """A name and the bytes to learn: the sample's, a file's, or of a file of JSON Lines its paragraphs, one a line."""
    if path is None:
        return SAMPLE_TITLE, "\n".join(line for chapter in read_sample() for line in chapter.paragraphs).encode()
    if Path(unpacked_name(path)).suffix == ".jsonl":
        return str(path), "\n".join(line for text in read_text_files([path]) for line in text.paragraphs).encode()
    return str(path), bytes_of(path)


def bytes_of(path: Path) -> bytes:
    blocks, size = [], 0
    for block in read_blocks(path, 1 << 20, "give the path of a file"):
        blocks.append(block)
        size += len(block)
        if size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST >> 20} MiB; give a part of it")
    return b"".join(blocks)


def write_code(source: Path, target: Path, setting: Setting) -> int:
    data = bytes_of(source)
    atomic.refuse_unwritable(target)
    coded = encode(data, setting)
    atomic.write_bytes(target, coded.data)
    over = 100 * (8 * len(coded.data) / coded.bits - 1) if coded.bits else 0.0
    print(
        f"{target}: {count(len(coded.data))} bytes for {count(len(data))}, {over:.3f} % above the "
        f"{count(round(coded.bits))} bits that the learner was charged"
    )
    return 0


def write_text(source: Path, target: Path) -> int:
    data = b"".join(read_blocks(source, 1 << 20, "give a file of --encode"))
    atomic.refuse_unwritable(target)
    text = decode(source, data)
    atomic.write_bytes(target, text)
    print(f"{target}: {count(len(text))} bytes")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--text", type=Path, metavar="FILE", help="what to learn, also .gz, .bz2 or .xz (default: 三国演义, the sample)"
    )
    for option, meaning in (("--encode", "code FILE into OUT and end"), ("--decode", "write what FILE codes into OUT")):
        what.add_argument(option, nargs=2, type=Path, metavar=("FILE", "OUT"), help=f"{meaning} (default: no)")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/seed"),
        metavar="DIR",
        help="folder of the history and the state (default: %(default)s)",
    )
    parser.add_argument("--symbols", type=int, metavar="BYTES", help="only the first so many bytes (default: all)")
    parser.add_argument(
        "--record-every", type=int, metavar="BYTES", help="bytes between records (default: a 200th, 100 to 10,000)"
    )
    parser.add_argument(
        "--save-every", type=int, default=250_000, metavar="BYTES", help="bytes between states (default: %(default)s)"
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the last state (the default); --no-resume removes it and the history first",
    )
    usual = Setting()
    size = parser.add_argument_group("setting", "the same for every text; these are for ablations and scaling")
    size.add_argument(
        "--units", type=int, default=usual.units, metavar="COUNT", help="of the recurrent state (default: %(default)s)"
    )
    size.add_argument(
        "--slot-bits",
        type=int,
        default=usual.slot_bits,
        metavar="POWER",
        help="2^POWER slots of 8 bytes (default: %(default)s)",
    )
    size.add_argument(
        "--orders", type=int, default=usual.orders, metavar="BYTES", help="longest suffix (default: %(default)s)"
    )
    size.add_argument(
        "--without",
        nargs="+",
        choices=REMOVABLE,
        default=[],
        metavar="PART",
        help=f"parts to leave out: {', '.join(REMOVABLE)} (default: none)",
    )
    size.add_argument(
        "--seed",
        type=int,
        default=usual.seed,
        metavar="NUMBER",
        help="of the state's first values (default: %(default)s)",
    )
    arguments = parser.parse_args()
    for name in ("symbols", "record_every", "save_every"):
        if getattr(arguments, name) is not None and getattr(arguments, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    for name, least, most in (("units", 1, 4096), ("slot_bits", 8, 28), ("orders", 0, ORDERS - 1)):
        if not least <= getattr(arguments, name) <= most:
            parser.error(f"--{name.replace('_', '-')} must lie between {least} and {most}")
    if arguments.seed < 0:
        parser.error("--seed must not be negative")
    if engine.NAME.startswith("python"):
        print("note: numba is not installed, so this is slow; pip install -r requirements-seed.txt", flush=True)
    return arguments


if __name__ == "__main__":
    run_stage(main)
