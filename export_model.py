"""A checkpoint for the `transformers` library: config, weights, tokenizer and a model card in one folder.

    python export_model.py stage4_large_100k_final.pth runs/export_100k
    python export_model.py runs/quickstart/final.pth runs/quickstart/export \\
        --history runs/quickstart/training_history.json

Then ``AutoModelForPreTraining.from_pretrained(DIR)``, ``AutoTokenizer.from_pretrained(DIR)`` and
``pipeline("fill-mask", DIR)`` work, with the same logits and token ids as here; `transformers` itself is not needed to
export. Any .pth of the trainer will do, and the .safetensors of a committed run; ``vocab.txt`` must stand beside it,
where the trainer writes it. With the run's history the model card says how the run went and shows its curves. DIR
appears when it is complete, and not before.

A .pth of ``train_causal_lm.py`` becomes a ``GPT2LMHeadModel`` for ``AutoModelForCausalLM`` and
``pipeline("text-generation", DIR)``; it needs nothing beside it.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from safetensors.torch import save

from pipeline.command_line import StageParser
from pipeline.export.causal_card import causal_card
from pipeline.export.causal_tokenizer import causal_tokenizer_config, causal_tokenizer_json
from pipeline.export.causal_weights import TrainedCausal, gpt2_config, gpt2_weights, read_causal
from pipeline.export.model_card import model_card, run_mismatches
from pipeline.export.run_section import FIGURE, run_section
from pipeline.export.tokenizer import tokenizer_config, tokenizer_json
from pipeline.export.weights import TrainedModel, read_weights, transformers_config, transformers_weights
from pipeline.files import atomic, checkpoint
from pipeline.files.history import DEFAULT_HISTORY, History, read_history
from pipeline.files.run_record import CAUSAL_LM, objective_of
from pipeline.files.vocabulary import SPECIAL_TOKENS, read_vocab_txt, vocab_txt, vocabulary_digest
from pipeline.stage import InputError, run_stage


def main() -> int:
    arguments = parse_arguments()
    refuse_occupied(arguments.folder)
    causal = objective_of(checkpoint.load(arguments.checkpoint)) == CAUSAL_LM
    files, said = causal_files(arguments) if causal else masked_files(arguments)
    write_folder(arguments.folder, files)
    print(f"{arguments.folder}: {said}")
    return 0


def masked_files(arguments: argparse.Namespace) -> tuple[dict[str, bytes], str]:
    """The files of a ``BertForPreTraining``, and what is said of it."""
    model = read_weights(arguments.checkpoint)
    step, shape = model.step, model.shape
    if shape.head != "bert":
        raise InputError(
            f"{arguments.checkpoint}: was trained with --head {shape.head}, which BertForPreTraining cannot express; "
            "train with --head bert to export"
        )
    vocab_path = arguments.checkpoint.with_name("vocab.txt")
    vocab = read_vocab_txt(vocab_path)
    tokens = [*SPECIAL_TOKENS, *vocab]
    if vocabulary_digest(vocab) != model.vocabulary:
        raise InputError(
            f"{vocab_path}: is the vocabulary of another model (SHA-256 {vocabulary_digest(vocab)[:12]}..., not "
            f"{model.vocabulary[:12]}...); put the one that the trainer wrote beside this checkpoint there"
        )
    history = matching_history(arguments.history, model)
    tensors = transformers_weights(model.weights)
    parameters = sum(tensor.numel() for tensor in tensors.values())
    whole_run, pictures = about_the_run(history)
    files = {
        "config.json": as_json(transformers_config(shape)),
        "model.safetensors": save(tensors, {"format": "pt"}),
        "vocab.txt": vocab_txt(vocab).encode("utf-8"),
        "tokenizer.json": as_json(tokenizer_json(tokens)),
        "tokenizer_config.json": as_json(tokenizer_config(shape.max_positions)),
        "README.md": model_card(shape, step, parameters, history, whole_run).encode("utf-8"),
        **pictures,
    }
    return files, f"step {step}, {parameters:,} parameters, {len(vocab):,} characters"


def causal_files(arguments: argparse.Namespace) -> tuple[dict[str, bytes], str]:
    """The files of a ``GPT2LMHeadModel``, and what is said of it."""
    model = read_causal(arguments.checkpoint)
    history = matching_history(arguments.history, model)
    tensors = gpt2_weights(model.weights)
    parameters = sum(tensor.numel() for tensor in tensors.values())
    whole_run, pictures = about_the_run(history)
    files = {
        "config.json": as_json(gpt2_config(model.shape)),
        "model.safetensors": save(tensors, {"format": "pt"}),
        "tokenizer.json": as_json(causal_tokenizer_json(model.alphabet)),
        "tokenizer_config.json": as_json(causal_tokenizer_config(model.alphabet, model.shape.max_positions)),
        "README.md": causal_card(model, parameters, history, whole_run).encode("utf-8"),
        **pictures,
    }
    return files, f"step {model.step}, {parameters:,} parameters, {len(model.alphabet):,} symbols"


def about_the_run(history: History | None) -> tuple[list[str], dict[str, bytes]]:
    """What the card says of the whole run, and the picture that goes with it; nothing of a run that is not known."""
    if history is None or not len(history):
        return [], {}
    paragraphs, picture = run_section(history)
    return paragraphs, {FIGURE: picture}


def matching_history(given: Path | None, model: TrainedModel | TrainedCausal) -> History | None:
    """The run's history: the one that was given, which must fit, or the default one where it is there and fits."""
    path = given or DEFAULT_HISTORY
    if given is None and not path.exists():
        print("the model card goes without the facts of the run: give its --history")
        return None
    try:
        history = read_history(path)
        mismatches = run_mismatches(history, model)
        if mismatches:
            raise InputError(f"{path}: belongs to another model ({'; '.join(mismatches)}); give its run's --history")
    except InputError as error:
        if given is not None:
            raise
        print(f"the model card goes without the facts of the run: {error}")
        return None
    print(f"facts of the run: {path}")
    return history


def refuse_occupied(folder: Path) -> None:
    """An export never mixes with what is there, nor replaces it."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; give a new folder")
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: is not empty; give a new folder, or remove this one first")


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write ``files`` under a temporary name beside ``folder``, then rename: the folder is whole or not there."""
    folder = folder.resolve()
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for name, data in files.items():
            atomic.write_bytes(temporary / name, data)
        if folder.exists():
            folder.rmdir()  # it is empty
        temporary.replace(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def as_json(value: dict[str, object]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    inputs = parser.add_argument_group("input")
    inputs.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="a .pth or .safetensors of either trainer")
    inputs.add_argument(
        "--history",
        type=Path,
        metavar="FILE",
        help="history of the run, for the model card; it must fit the checkpoint "
        f"(default: {DEFAULT_HISTORY} where it fits, else none)",
    )
    outputs = parser.add_argument_group("output")
    outputs.add_argument("folder", type=Path, metavar="DIR", help="folder to make; it must be new or empty")
    return parser.parse_args()


if __name__ == "__main__":
    run_stage(main)
