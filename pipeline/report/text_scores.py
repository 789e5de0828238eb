"""A causal model's numbers on held-out text in words: accuracy beside guesses, bits beside what it must beat."""

from __future__ import annotations

from pipeline.files.run_record import Facts
from pipeline.formatting import count, percent

GUESSES = {"commonest": "guess: commonest symbol", "left": "guess: from the symbol before"}
BASELINES = {
    "kneser_ney": "n-grams (Kneser-Ney)",
    "xz": "xz, after the training text",
    "ppmd": "PPMd, after the training text",
}
Row = tuple[str, ...]


def text_scores(facts: Facts, split: str) -> list[Row]:
    """(name, value on all symbols, value on Han alone) for ``split``; empty where it was not scored.

    Names are texts of report/words.py; a value that is not known is empty.
    """
    bits = facts.number(split, "bits_per_character")
    if bits is None:
        return []
    rows: list[Row] = [
        ("symbols predicted", *(count(facts.count(split, f"next_targets{of}")) for of in ("", "_han"))),
        (
            "accuracy of the next symbol",
            *(percent(facts.number(split, f"next_acc{of}"), missing="") for of in ("", "_han")),
        ),
    ]
    for name, text in GUESSES.items():
        values = [facts.number(split, "guesses", name, of) for of in ("all", "han")]
        if values[0] is not None:
            rows.append((text, *(percent(value, missing="") for value in values)))
    rows.append(("bits per character", f"{bits:.3f}", ""))
    for name, text in BASELINES.items():
        value = facts.number(split, "baselines", name)
        if value is not None:
            rows.append((text, f"{value:.3f}", ""))
    for key, text in (("bits_per_byte", "bits per byte"), ("word_perplexity", "perplexity per word")):
        value = facts.number(split, key)
        if value is not None:
            rows.append((text, f"{value:,.1f}" if key == "word_perplexity" else f"{value:.3f}", ""))
    return rows
