"""What the report page says beside its figures: captions, cautions, and the words that it uses."""

from __future__ import annotations

from pipeline.figures.labels import MASKED
from pipeline.files.history import History
from pipeline.files.run_record import CAUSAL_LM, SEED, objective_of

Caption = tuple[str, str]  # title, text
CAPTIONS: dict[str, Caption] = {
    "training_curves": (
        "Training curves",
        "Training accuracy is the mean over all masked characters since the last record, without dropout; held-out "
        "accuracy is measured on fixed articles that take no part in training.",
    ),
    "correlation_analysis": (
        "Correlation",
        "A straight line is not the shape of learning. The best curve is drawn solid; the right panel shows how r "
        "depends on how much of the run is looked at.",
    ),
    "comparison_50k_100k": (
        "Comparison",
        "Runs of different lengths have different r even if they learn alike, and training accuracy tells how well a "
        "run knows its own text: runs on different text are compared on held-out text.",
    ),
    "loss_analysis": (
        "Loss analysis",
        "The loss is the sum of MLM and NSP cross-entropy, so its level also holds what NSP costs.",
    ),
    "ladder": (
        "Several runs",
        "Each run has its own learning-rate schedule, annealed to its own end: a point of a long run is not a short "
        "run.",
    ),
    "deciles": (
        "Character frequency",
        "Each tenth holds about as many running characters, from rare to common ones; the bars have 95 % binomial "
        "intervals.",
    ),
    "counting": (
        "From counting to context",
        "A young model answers as counting does: first the commonest character, then what mostly stands beside the "
        "neighbours. Where its own answers become better than those, it has begun to use more of the sentence.",
    ),
    "predictions": (
        "What stands in the blank",
        "The likeliest character for the blank of each sentence, and its probability. A frame and a tick mark the "
        "character that stood there; others may be good Chinese too.",
    ),
}
WITH_DROPOUT: dict[str, Caption] = {
    "training_curves": (
        "Training curves",
        "Training accuracy is the mean over all masked characters since the last record, with dropout on; held-out "
        "accuracy is measured on fixed articles that take no part in training.",
    ),
}
CAPTIONS_OF_A_LOG: dict[str, Caption] = {  # of another program: what its records are, it does not say
    "training_curves": (
        "Training curves",
        "The records as the log has them: single records are dots, lines are running means.",
    ),
    "loss_analysis": ("Loss analysis", "The loss as the log has it, in its own unit."),
}
CAPTIONS_OF_CAUSAL: dict[str, Caption] = {
    "training_curves": (
        "Training curves",
        "Training accuracy is the mean over all symbols since the last record, without dropout; held-out accuracy is "
        "measured on fixed windows of text that takes no part in training.",
    ),
    "loss_analysis": ("Loss analysis", "The loss is the cross-entropy of the next symbol."),
}
CAPTIONS_OF_SEED: dict[str, Caption] = {
    "training_curves": (
        "Training curves",
        "Each symbol is predicted before it is seen, and learned after: accuracy and bits are means over the symbols "
        "since the last record. The text is read once, so nothing is held out.",
    ),
    "loss_analysis": ("Loss analysis", "The loss is the code length of a symbol, in bits."),
    "seed_ladder": (
        "The seed predictor's ladder",
        "The committed measurements of the predictor, not this run: bits paid above the floor of each source, bits "
        "above the learner alone after a source returns, and bits a byte against the data seen.",
    ),
}
CAUSAL_WITH_DROPOUT: dict[str, Caption] = {
    "training_curves": (
        "Training curves",
        "Training accuracy is the mean over all symbols since the last record, with dropout on; held-out accuracy is "
        "measured on fixed windows of text that takes no part in training.",
    ),
}
CAVEATS = (
    "Accuracy over all targets includes punctuation, which is easy; the accuracy on Han characters stands beside it.",
    "Articles, not sentences, are held out. The validation articles steer; the test articles are scored once, at the "
    "end.",
    "Neighbouring records may be correlated, and are then worth fewer independent ones; the intervals allow for it.",
    "Everything here is about one run unless several are named; another seed would give other numbers.",
    "Forecasts assume that the curve goes on as it did, with the same data and the same kind of schedule.",
    "A small model trained on a few million characters is for watching training; it is too weak to be used.",
)
CAVEATS_OF_A_LOG = CAVEATS[2:5]  # those that hold of any run
GLOSSARY = (
    ("MLM", "masked language modelling: guessing masked characters from what stands around them"),
    ("NSP", "next sentence prediction: telling whether two sentences stand next to each other in an article"),
    ("Han", "Chinese characters alone, without punctuation, digits and letters"),
    ("held-out", "measured on text that takes no part in training"),
    (
        "Pearson r",
        "how straight the line from steps to accuracy is, between -1 and 1; it does not say how well a model learned",
    ),
    (
        "95 % interval",
        "made so that it holds the true value in 95 of 100 runs; of this run's records, other seeds may differ by more",
    ),
)


def captions_of(history: History) -> dict[str, Caption]:
    """The caption of every figure of this run."""
    if "log" in history.run:
        return CAPTIONS | CAPTIONS_OF_A_LOG
    if objective_of(history.run) == SEED:
        return CAPTIONS | CAPTIONS_OF_SEED
    dropout = any(history.facts.number("config", name) for name in ("dropout", "attention_dropout"))
    if objective_of(history.run) == CAUSAL_LM:
        return CAPTIONS | CAPTIONS_OF_CAUSAL | (CAUSAL_WITH_DROPOUT if dropout else {})
    return CAPTIONS | (WITH_DROPOUT if dropout else {})


def glossary_of(history: History) -> list[tuple[str, str]]:
    """The words that the page of this run uses, each with what it means."""
    columns = history.columns
    masked = columns.accuracy.of == MASKED
    used = {"MLM": masked, "NSP": bool(columns.pairs and history.has(columns.pairs.train)), "Han": masked}
    if "log" in history.run:
        used = dict.fromkeys(used, False)
    return [(term, meaning) for term, meaning in GLOSSARY if used.get(term, True)]


def caveats_of(history: History) -> tuple[str, ...]:
    """What to keep in mind when reading the page of this run."""
    return CAVEATS_OF_A_LOG if "log" in history.run or objective_of(history.run) == SEED else CAVEATS
