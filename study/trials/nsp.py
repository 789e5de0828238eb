"""What does next-sentence prediction take? Trials at equal cost: a heavier loss, longer sequences, longer segments.

    OMP_NUM_THREADS=1 python study/trials/nsp.py runs/study/medium/checkpoints/step_20000.pth \\
        --json results/benchmarks/nsp_trials.json

Sentence pairs are learned late, so each trial goes on from a checkpoint: annealed, with one thing changed, for as many
steps as cost the FLOPs of the first one's. All are asked the same held-out questions, pairs of sentences; that of
longer segments is also asked about such segments. The committed trials went on from step 50,000 of a run of 100,000
that is lost (docs/LOG.md).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from torch import Tensor

from pipeline.command_line import StageParser
from pipeline.data.corpora import Corpora, build_corpora
from pipeline.files import atomic
from pipeline.files.dataset import Dataset, read_dataset
from pipeline.formatting import percent
from pipeline.stage import InputError, run_stage
from pipeline.train.objectives.masked_lm import MaskedLM
from pipeline.train.settings import Settings
from study.trials.trial import Start, add_arguments, read_start, refuse_without_steps, step_flops, train

HEAVIER = 4.0  # the weight of the NSP loss in the trial of it; that of MLM is 1
LONGER = 128  # tokens
SEGMENT = 40  # characters that a segment of several sentences has at least


class HeavierPairs(MaskedLM):
    """BERT's objective with more weight on the pairs."""

    def combined(self, mlm: Tensor, nsp: Tensor) -> Tensor:
        return mlm + HEAVIER * nsp


@dataclass(frozen=True)
class Result:
    """What one trial reached on the validation split: shares of one."""

    trial: str
    steps: int
    seconds: float
    flops: float
    mlm_acc: float | None
    nsp_acc: float | None  # of pairs of sentences, the same in all trials
    nsp_wikipedia: float | None  # of them those of Wikipedia
    nsp_books: float | None
    own_nsp_acc: float | None  # of pairs as it was trained on
    own_nsp_wikipedia: float | None
    own_nsp_books: float | None


def in_segments(dataset: Dataset, characters: int) -> Dataset:
    """``dataset`` with sentences of an article joined, in order, until a segment has so many characters."""
    sentences: list[str] = []
    documents = []
    for document in dataset.documents:
        start = len(sentences)
        sentences += joined(dataset.sentences[document.start : document.start + document.count], characters)
        documents.append(replace(document, start=start, count=len(sentences) - start))
    return replace(dataset, sentences=sentences, documents=documents)


def joined(sentences: Sequence[str], characters: int) -> list[str]:
    """The sentences joined to segments of ``characters`` or more; what is left at the end goes to the last one."""
    found: list[str] = []
    open_segment = ""
    for sentence in sentences:
        open_segment += sentence
        if len(open_segment) >= characters:
            found.append(open_segment)
            open_segment = ""
    if open_segment and found:
        found[-1] += open_segment
    elif open_segment:
        found.append(open_segment)
    return found


def compare(dataset: Dataset, path: Path, settings: Settings, start: Start | None) -> list[Result]:
    """All trials, the unchanged one first."""

    def corpora_of(text: Dataset, given: Settings) -> Corpora:
        return build_corpora(text, path, length=given.length, mask_rate=given.mask_rate, held_out=given.held_out)

    longer = replace(settings, length=LONGER)
    plain, long = corpora_of(dataset, settings), corpora_of(dataset, longer)
    segments = corpora_of(in_segments(dataset, SEGMENT), longer)
    trials = {
        "unchanged": (plain, settings, MaskedLM),
        f"NSP loss x {HEAVIER:g}": (plain, settings, HeavierPairs),
        f"{LONGER} tokens": (long, longer, MaskedLM),
        f"segments, {LONGER} tokens": (segments, longer, MaskedLM),
    }
    cost = settings.steps * step_flops(plain, settings)
    found = []
    for name, (corpora, given, objective) in trials.items():
        steps = max(round(cost / step_flops(corpora, given)), given.warmup + 1)
        done = train(name, corpora, replace(given, steps=steps), objective, start)
        same, own = done.score(plain.validation), done.score(corpora.validation)
        shares = [(each.means.nsp_acc, each.nsp_wikipedia, each.nsp_books) for each in (same, own)]
        found.append(Result(name, steps, done.seconds, done.flops, same.means.mlm_acc, *shares[0], *shares[1]))
    return found


def main() -> int:
    parser = StageParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="weights to go on from")
    add_arguments(parser, steps=3000)
    arguments = parser.parse_args()
    dataset = read_dataset(arguments.dataset)
    start = read_start(arguments.checkpoint, dataset)
    settings = start.settings_for(arguments.steps)
    if settings.max_positions < LONGER:
        raise InputError(f"{arguments.checkpoint}: has {settings.max_positions} positions; a trial needs {LONGER}")
    refuse_without_steps(parser, settings)
    found = compare(dataset, arguments.dataset, settings, start)
    for each in found:
        print(
            f"{each.trial:<22} {each.steps:>6,} steps  MLM {percent(each.mlm_acc)}  NSP {percent(each.nsp_acc)} "
            f"(Wikipedia {percent(each.nsp_wikipedia)}, books {percent(each.nsp_books)})  "
            f"own pairs {percent(each.own_nsp_acc)}  {each.seconds:.0f} s"
        )
    if arguments.json:
        atomic.write_json(arguments.json, [asdict(each) for each in found], indent=1)
    return 0


if __name__ == "__main__":
    run_stage(main)
