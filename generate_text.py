"""Let a causal language model write.

    python generate_text.py runs/causal/final.pth --prompt "人工智能将会"
    python generate_text.py runs/causal/best.pth --prompt "The meaning of life is" --temperature 0.8 --top-k 40 --seed 7

Any .pth of ``train_causal_lm.py`` will do; it holds its own alphabet. The text is printed as it is written, the prompt
first. It goes on for ``--length`` symbols, or to the end of a document where that comes before; beyond the model's
context it goes on from the last half of what it can see. The same command writes the same text on the same machine.
"""

from __future__ import annotations

import argparse
import codecs
import math
from pathlib import Path

import torch

from pipeline.command_line import StageParser
from pipeline.data.alphabet import END, UNKNOWN, Alphabet
from pipeline.export.causal_weights import read_causal
from pipeline.model.device import HELP as DEVICE_HELP
from pipeline.model.device import NAMES as DEVICES
from pipeline.model.device import chosen_device
from pipeline.model.sampling import Sampling, generate
from pipeline.stage import run_stage


def main() -> int:
    arguments = parse_arguments()
    trained = read_causal(arguments.checkpoint)
    model = trained.model().to(chosen_device(arguments.device)).eval()
    alphabet = trained.alphabet
    start = alphabet.read_prompt(arguments.prompt, trained.context)

    random = torch.Generator().manual_seed(arguments.seed)
    how = Sampling(arguments.temperature, arguments.top_k, arguments.top_p)
    never = [] if alphabet.level == "byte" else [UNKNOWN]
    print(alphabet.kept(arguments.prompt), end="", flush=True)
    spelled = Spelling(alphabet)
    for _, symbol in zip(
        range(arguments.length), generate(model, start, trained.context, how, random, never), strict=False
    ):
        if symbol == END:
            break
        print(spelled.text(symbol), end="", flush=True)
    print(spelled.rest())
    return 0


class Spelling:
    """Symbols to text as they come; the bytes of a character wait until it is whole."""

    def __init__(self, alphabet: Alphabet) -> None:
        self._alphabet = alphabet
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")

    def text(self, symbol: int) -> str:
        if self._alphabet.level == "char":
            return self._alphabet.decode([symbol])
        return self._bytes.decode(self._alphabet.bytes_of([symbol]))

    def rest(self) -> str:
        """What is left of a character that was cut off."""
        return self._bytes.decode(b"", final=True)


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="a .pth of train_causal_lm.py")
    parser.add_argument(
        "--prompt", default="", metavar="TEXT", help="what the text begins with (default: nothing, a new document)"
    )
    parser.add_argument(
        "--length", type=int, default=200, metavar="SYMBOLS", help="symbols to write at most (default: %(default)s)"
    )
    parser.add_argument(
        "--temperature",
        type=float,
        default=0.8,
        metavar="NUMBER",
        help="below 1 likely symbols are preferred; 0: always the likeliest (default: %(default)s)",
    )
    parser.add_argument(
        "--top-k",
        type=int,
        default=0,
        metavar="COUNT",
        help="draw from so many likeliest symbols only (default: 0, all)",
    )
    parser.add_argument(
        "--top-p",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="draw from the fewest likeliest that together have this probability (default: 1, all)",
    )
    parser.add_argument("--seed", type=int, default=42, metavar="NUMBER", help="of the draws (default: %(default)s)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help=DEVICE_HELP)
    arguments = parser.parse_args()
    if not 0 <= arguments.temperature < math.inf:
        parser.error("--temperature must be 0 or a positive number")
    if not 0 < arguments.top_p <= 1:
        parser.error("--top-p must be above 0 and at most 1")
    for option in ("length", "top_k", "seed"):
        if not 0 <= getattr(arguments, option) < 2**63:
            parser.error(f"--{option.replace('_', '-')} must not be negative, nor 2^63 or more")
    return arguments


if __name__ == "__main__":
    run_stage(main)
