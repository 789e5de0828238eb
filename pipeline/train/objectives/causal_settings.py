"""The settings of a causal language model, with their reasons, and the named presets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pipeline.data.alphabet import LEVELS
from pipeline.files.run_record import CAUSAL_LM
from pipeline.model.gpt import GptShape
from pipeline.train.settings import Presets, RunSettings, setting


@dataclass(frozen=True)
class CausalSettings(RunSettings):
    """One training run of a causal language model. The defaults are those of ``paper``."""

    objective = CAUSAL_LM

    layers: int = setting(8, "model", "COUNT", "layers")
    dropout: float = setting(0.1, "model", "SHARE", "dropout on embeddings and on what is added to the residual stream")
    length: int = setting(512, "data", "TOKENS", "symbols that a window predicts, and the longest context when writing")
    held_out: float = setting(
        0.02,
        "data",
        "SHARE",
        "share of the documents for validation, and again for test; of a single document its last blocks",
    )
    steps: int = setting(6350, "optimization", "STEPS", "optimizer steps of the whole run; the schedule ends with them")
    batch_size: int = setting(8, "optimization", "COUNT", "windows in memory at once")
    optimizer: str = setting(
        "adamw", "optimization", None, "adamw, or muon for the layers' matrices", ("adamw", "muon")
    )
    lr: float = setting(6e-4, "optimization", "RATE", "peak learning rate")
    weight_decay: float = setting(0.1, "optimization", "NUMBER", "decoupled decay, on matrices and embeddings only")
    beta2: float = setting(0.95, "optimization", "SHARE", "AdamW's second moment; lower forgets faster")
    eval_every: int = setting(5, "records", "RECORDS", "records from one held-out scoring to the next; null between")
    eval_targets: int = setting(
        50_000, "records", "COUNT", "symbols scored at least; the same ones in every run on the text"
    )
    save_interval: int = setting(1000, "records", "STEPS", "steps from one checkpoint to the next")

    level: str = setting("char", "data", None, "what is predicted: char, or byte for the bytes of UTF-8", LEVELS)

    def shape(self, vocab_size: int) -> GptShape:
        """The sizes of the model over an alphabet of so many symbols."""
        names = {field.name for field in dataclasses.fields(GptShape)} - {"vocab_size"}
        return GptShape(vocab_size=vocab_size, **{name: getattr(self, name) for name in names})


_ON_A_CPU = CausalSettings(
    layers=2,
    hidden=128,
    heads=2,
    ffn=512,
    max_positions=128,
    dropout=0.0,
    attention_dropout=0.0,
    init_std=0.04,
    length=100,
    steps=100_000,
    batch_size=2,
    accumulation=1,
    optimizer="muon",
    lr=1e-3,
    warmup=1000,
    beta2=0.99,
    weight_decay=0.01,
    eval_every=5,
    eval_targets=4000,
    save_interval=2000,
)
CAUSAL_PRESETS = Presets(
    named={
        "quickstart": dataclasses.replace(
            _ON_A_CPU,
            init_std=0.03,
            length=64,
            held_out=0.05,
            steps=1000,
            batch_size=16,
            lr=4e-3,
            warmup=100,
            beta2=0.98,
            log_interval=10,
            eval_every=5,
            eval_targets=2000,
            save_interval=500,
        ),
        # 200 symbols a step, as many as the sentence pairs of BERT's ``small`` have tokens.
        "small": _ON_A_CPU,
        "paper": CausalSettings(),
    },
    notes={
        "quickstart": "the offline sample in about a minute on two CPU cores",
        "small": "steps, tokens and size class of the masked model's small, to be put beside it",
        "paper": "the published causal model: 8 x 512, 8 x 4 windows of 512, lr 6e-4, 6,350 steps; for a GPU",
    },
    default="paper",
)
