"""Train a causal language model: the next character, or byte, from those before it.

    python train_causal_lm.py --preset small            # Chinese, on the large dataset, beside BERT's small
    python train_causal_lm.py --text wiki.train.raw --held-out-text wiki.valid.raw wiki.test.raw    # the paper's run
    python train_causal_lm.py --preset quickstart --text a_book.txt another_book.txt                # on two CPU cores

The history, checkpoints, resuming, several processes and precision are those of ``train_large_100k.py``, and the same
scripts read what it writes: ``check_progress.py``, ``analyze_100k.py``, ``visualize_results.py``. ``generate_text.py``
lets a checkpoint write, ``export_model.py`` gives it to `transformers`.

Held out is by document; where there are fewer than three of them, the last blocks of the text. Every held-out symbol is
scored once at the end, from at least half a window of context, and the results are given per character, byte and word,
beside an n-gram model and compressors that have seen the same training text (``run.test`` of the history).

It writes the history, checkpoints, the model of the lowest held-out loss and the finished one. Exit code 3: the loss or
the gradient stopped being finite.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import Any

import torch

from pipeline.data.causal_text import CausalCorpora, build_causal_corpora
from pipeline.data.raw_text import read_raw_text
from pipeline.files.dataset import DEFAULT_DATASET, Dataset, read_dataset
from pipeline.files.history import History
from pipeline.formatting import count, percent
from pipeline.model.gpt import Gpt
from pipeline.stage import run_stage
from pipeline.train.describe import Plan, describe_causal
from pipeline.train.memory import refuse_too_large
from pipeline.train.objectives.causal_lm import RECORDED, CausalLM, Samples
from pipeline.train.objectives.causal_settings import CAUSAL_PRESETS, CausalSettings
from pipeline.train.run import Run
from pipeline.train.start.conduct import Asked, Begun, conduct, write_final
from pipeline.train.start.options import add_trainer_options, check_trainer_options, trainer_parser

FOLDER = Path("runs/causal")
PROMPTS = {
    True: ("人生的意义是", "人工智能将会"),  # of a text that is mostly Han
    False: ("The meaning of life is", "Artificial intelligence will"),
}


def main() -> int:
    return conduct(parse_arguments(), CAUSAL_PRESETS, describe, begin)


def describe(asked: Asked[CausalSettings]) -> Plan:
    """What the run would be; passes over the data are known where the text is there."""
    given = asked.arguments
    if not given.text and not given.dataset.exists():
        return describe_causal(asked.settings, None, asked.precision)
    return describe_causal(asked.settings, split_and_encode(read_text(given), asked), asked.precision)


def begin(asked: Asked[CausalSettings], held: contextlib.ExitStack) -> Begun | None:
    """The run where it stands, its files locked until ``held`` is closed; None where it is finished."""
    given, settings, processes, precision = asked.arguments, asked.settings, asked.processes, asked.precision
    dataset = read_text(given)
    planned = asked.planned(Path(source(given)), dataset)
    if asked.is_done(planned):
        return None

    # What is trained on, what is held out, and what the symbols are.
    for warning in settings.warnings():
        asked.say(f"warning: {warning}")
    corpora = split_and_encode(dataset, asked)
    if corpora.repeats:
        asked.say(f"{count(corpora.repeats)} documents nearly repeat held-out text and are left out of training")
    planned["dataset"] |= {
        "documents": {name: len(getattr(corpora, name).articles) for name in ("train", "validation", "test")},
        "vocab": len(corpora.alphabet),
        "vocab_sha256": corpora.alphabet.digest(),
    }
    samples = Samples(chosen_prompts(given, settings, corpora), given.sample_length)
    asked.take_files(held)

    # The model, what it is trained for, and how far it has come.
    torch.manual_seed(settings.seed)
    shape = settings.shape(len(corpora.alphabet))
    refuse_too_large(shape, processes.device, precision.weights)
    model = Gpt(shape).to(processes.device, precision.weights)
    objective = CausalLM(model, corpora, settings, precision, samples)
    history = History({key: [] for key in ("steps", *RECORDED, "lr", "grad_norm", "tokens", "seconds")})
    run = asked.start(model, objective, planned, objective.facts(), history)
    return Begun(run, ready=lambda: None, finish=lambda: finish(run, objective))


def read_text(given: argparse.Namespace) -> Dataset:
    """The text that was asked for: files as they are, or the project's dataset."""
    return read_raw_text(given.text, given.held_out_text or ()) if given.text else read_dataset(given.dataset)


def source(given: argparse.Namespace) -> str:
    """Where the text is from, for messages and for the history."""
    return ", ".join(map(str, given.text)) if given.text else str(given.dataset)


def split_and_encode(dataset: Dataset, asked: Asked[CausalSettings]) -> CausalCorpora:
    settings, given = asked.settings, asked.arguments
    return build_causal_corpora(
        dataset,
        source(given),
        level=settings.level,
        white_space=bool(given.text),
        length=settings.length,
        held_out=settings.held_out,
    )


def chosen_prompts(given: argparse.Namespace, settings: CausalSettings, corpora: CausalCorpora) -> tuple[str, ...]:
    """The beginnings of the samples: those that were asked for, else some that the alphabet can spell.

    Raises:
        InputError: one that was asked for is longer than the context, or has a character outside the vocabulary.
    """
    alphabet, counts = corpora.alphabet, corpora.validation.counts()
    if not given.sample_length:
        return ()
    if given.prompt is None:
        return tuple(each for each in PROMPTS[2 * counts.han > counts.characters] if not alphabet.unknown_in(each))
    for prompt in given.prompt:
        alphabet.read_prompt(prompt, settings.length)
    return tuple(given.prompt)


def finish(run: Run, objective: CausalLM) -> None:
    """Score every symbol of validation and, once, of test; write the final model, the hits and the finished history."""
    write_final(run, *objective.final_scores())
    test: dict[str, Any] = run.history.run["test"]
    print(f"test: next {percent(test['next_acc'], 1)} of {test['next_targets']}", end="; ")
    print(f"{test['bits_per_character']:.3f} bits per character")
    print(f"{run.files.final} and {run.files.history} are complete")


def parse_arguments() -> argparse.Namespace:
    parser = trainer_parser(__doc__, CAUSAL_PRESETS)
    text = parser.add_argument_group("text")
    text.add_argument(
        "--text",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="text files to train on as they are, each a document, or several where it is raw WikiText; .gz, .bz2 and "
        ".xz are unpacked (default: the --dataset, without its white space)",
    )
    text.add_argument(
        "--held-out-text",
        type=Path,
        nargs=2,
        metavar=("VALIDATION", "TEST"),
        help="hold out these files and no part of --text (default: --held-out of its documents)",
    )
    text.add_argument(
        "--prompt",
        action="append",
        metavar="TEXT",
        help="a beginning of a sample, which may be given several times (default: two in the language of the text)",
    )
    text.add_argument(
        "--sample-length",
        type=int,
        default=80,
        metavar="SYMBOLS",
        help="symbols written for each prompt at each held-out scoring; 0: no samples (default: %(default)s)",
    )
    files = {
        "--dataset": (DEFAULT_DATASET, "the dataset to train on"),
        "--checkpoint-dir": (FOLDER / "checkpoints", "folder of the checkpoints"),
        "--history": (FOLDER / "training_history.json", "the history, written as the run goes on"),
        "--final": (FOLDER / "final.pth", "the finished model"),
        "--best": (FOLDER / "best.pth", "the model of the lowest held-out loss"),
    }
    add_trainer_options(parser, files, CAUSAL_PRESETS)
    arguments = parser.parse_args()
    check_trainer_options(parser, arguments)
    if arguments.held_out_text and not arguments.text:
        parser.error("--held-out-text needs --text")
    if arguments.sample_length < 0:
        parser.error("--sample-length must not be negative")
    return arguments


if __name__ == "__main__":
    run_stage(main)
