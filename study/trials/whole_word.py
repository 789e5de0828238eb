"""Does masking whole words teach more than masking single characters? One trial at equal cost.

    pip install rjieba                     # the segmenter; for this script alone
    OMP_NUM_THREADS=1 python study/trials/whole_word.py --steps 3000 --json results/benchmarks/whole_word.json

The same model, text, steps, batches and share of masked characters twice: once the characters are chosen one by one, as
the trainer does, and once by words (Cui et al. 2021): a word that is chosen is masked as a whole. Both are then asked
the same held-out questions, single characters, as every run of the study.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import numpy as np

from pipeline.command_line import StageParser
from pipeline.data.corpora import Corpora, build_corpora
from pipeline.data.masked_pairs import PairCorpus
from pipeline.files import atomic
from pipeline.files.dataset import Dataset, read_dataset
from pipeline.formatting import percent
from pipeline.stage import InputError, run_stage
from pipeline.train.settings import PRESETS, Settings
from study.trials.trial import add_arguments, refuse_without_steps, train

Cut = Callable[[str], Sequence[str]]  # a sentence into its words


class WordMasks(PairCorpus):
    """A corpus whose targets are whole words, until as many characters are covered as would be chosen one by one.

    Args:
        words: the word number of each token of the corpus, int64, rising.
    """

    words: np.ndarray

    def _chosen(self, chance: np.ndarray, _place: np.ndarray, sequence: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """The words whose first character has the lowest chance; the last one is masked as a whole too.

        A pair's two sentences differ in their words' numbers, so that a word is one of a sequence.
        """
        word = self.words[np.clip(_place, 0, len(self.words) - 1)]
        special = chance > 1  # [CLS], [SEP] and [UNK], which are never targets
        key = np.where(special, -1 - np.arange(len(word)), sequence * (len(self.words) + 1) + word)
        _, first, number = np.unique(key, return_index=True, return_inverse=True)
        touched = super()._chosen(chance[first][number], _place, sequence, wanted)
        whole = np.zeros(len(first), dtype=bool)
        whole[number[touched]] = True
        return whole[number] & ~special


def by_words(corpus: PairCorpus, texts: Sequence[str], cut: Cut) -> PairCorpus:
    """``corpus`` with whole words as targets; ``texts`` are its sentences, in order."""
    lengths = [len("".join(word.split())) for text in texts for word in cut(text)]
    masked = WordMasks.__new__(WordMasks)
    masked.__dict__.update(vars(corpus))
    masked.words = np.repeat(np.arange(len(lengths)), lengths)
    if len(masked.words) != len(corpus.tokens):
        raise ValueError(f"the words have {len(masked.words)} characters, the corpus {len(corpus.tokens)}")
    return masked


@dataclass(frozen=True)
class Result:
    """What one way to mask reached on the whole validation split: shares of one, the loss in nats."""

    masking: str
    steps: int
    seconds: float
    mlm_acc: float | None
    mlm_acc_han: float | None
    mlm_loss: float | None
    nsp_acc: float | None


def trained(masking: str, corpora: Corpora, settings: Settings) -> Result:
    """Train on ``corpora.train`` for all steps of ``settings``, and score."""
    done = train(masking, corpora, settings)
    means = done.score(corpora.validation).means
    return Result(masking, done.steps, done.seconds, means.mlm_acc, means.mlm_acc_han, means.mlm_loss, means.nsp_acc)


def compare(dataset: Dataset, path: Path, settings: Settings, cut: Cut) -> list[Result]:
    """Characters, then words."""
    corpora = build_corpora(
        dataset, path, length=settings.length, mask_rate=settings.mask_rate, held_out=settings.held_out
    )
    texts = [
        text
        for document in corpora.splits.train
        for text in dataset.sentences[document.start : document.start + document.count]
    ]
    whole = replace(corpora, train=by_words(corpora.train, texts, cut))
    return [trained("characters", corpora, settings), trained("words", whole, settings)]


def main() -> int:
    parser = StageParser(description=__doc__)
    parser.add_argument("--preset", choices=PRESETS, default="medium", help="default: %(default)s")
    add_arguments(parser, steps=3000)
    arguments = parser.parse_args()
    settings = replace(PRESETS[arguments.preset], steps=arguments.steps)
    refuse_without_steps(parser, settings)
    try:
        import rjieba
    except ImportError:
        raise InputError("whole words need a segmenter: pip install rjieba") from None
    found = compare(read_dataset(arguments.dataset), arguments.dataset, settings, rjieba.cut)
    for each in found:
        print(
            f"{each.masking:<12} MLM {percent(each.mlm_acc)}  Han {percent(each.mlm_acc_han)}  "
            f"NSP {percent(each.nsp_acc)}  {each.seconds:.0f} s"
        )
    if arguments.json:
        atomic.write_json(arguments.json, [asdict(each) for each in found], indent=1)
    return 0


if __name__ == "__main__":
    run_stage(main)
