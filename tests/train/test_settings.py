"""The settings of a run: the published ones, and which values are refused."""

import dataclasses
import math

import pytest

from pipeline.data.masked_pairs import HELD_OUT_MASK_RATE
from pipeline.files.history import History
from pipeline.files.run_record import LATER_SETTINGS
from pipeline.stage import InputError
from pipeline.train.settings import PRESETS, Settings, recorded_settings


def test_the_published_run():
    """12 layers of 512, 32 x 4 sequences of 128 tokens, 15 % masked, 5e-5 after 2,000 steps; 100,000 steps."""
    published = PRESETS["paper-100k"]
    model = (published.layers, published.hidden, published.heads, published.ffn, published.max_positions)
    assert model == (12, 512, 8, 2048, 512)
    assert (published.dropout, published.attention_dropout, published.init_std) == (0.1, 0.1, 0.02)
    assert (published.length, published.mask_rate, published.batch_size, published.accumulation) == (128, 0.15, 32, 4)
    assert (published.optimizer, published.lr, published.warmup, published.steps) == ("adamw", 5e-5, 2000, 100_000)
    assert (published.beta1, published.beta2, published.weight_decay, published.clip) == (0.9, 0.999, 0.01, 1.0)
    assert published.effective_batch == 128
    assert PRESETS["paper-50k"] == dataclasses.replace(published, steps=50_000)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_presets_are_sound(preset):
    preset.check()
    # A forward pass is a third of a training step's work: scoring must cost at most 5 % of the run.
    # A sequence of the CPU presets fills three quarters of its length.
    scored = preset.eval_targets / (HELD_OUT_MASK_RATE * 0.75 * preset.length)
    assert scored / 3 <= 0.05 * preset.log_interval * preset.eval_every * preset.effective_batch
    assert preset.eval_targets >= 2000


REFUSED = {
    ("layers", "hidden", "heads", "ffn", "steps", "batch_size", "accumulation"): (0, -1),
    ("log_interval", "eval_every", "eval_targets", "save_interval"): (0, -1),
    ("warmup",): (-1,),
    ("seed", "data_seed"): (-1, 2**64),
    ("dropout", "attention_dropout"): (-0.1, 0.999995, 1.0, math.nan),
    ("beta1", "beta2"): (-0.1, 1.0, math.nan),
    ("lr", "clip", "init_std"): (0.0, -1.0, math.inf, math.nan),
    ("mask_rate",): (0.0, 1.0, math.nan),
    ("held_out",): (0.0, 0.5, math.nan),
    ("weight_decay",): (-0.1, math.inf, math.nan),
    ("length",): (7, 513),
    ("early_stop",): (-1, 1),
    ("schedule",): ("", "Cosine", "cosine:0.2", "wsd", "wsd:", "wsd:0", "wsd:-0.1", "wsd:1.5", "wsd:nan", "wsd:0.2:1"),
}
BAD = [(name, value) for names, values in REFUSED.items() for name in names for value in values]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_values_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=f"^--{name.replace('_', '-')} {value}"):
        dataclasses.replace(Settings(), **{name: value}).check()


def test_the_width_is_a_multiple_of_the_heads():
    with pytest.raises(InputError, match=r"^--hidden 510 is not a multiple of --heads 8"):
        dataclasses.replace(Settings(), hidden=510).check()


def test_every_number_can_be_refused():
    numbers = {field.name for field in dataclasses.fields(Settings) if not isinstance(field.default, str | bool)}
    # The positions are held to the length.
    assert numbers - {"max_positions"} == {name for name, _ in BAD} - {"schedule"}


def test_settings_of_later_versions_default_to_what_runs_had_before():
    assert {name: getattr(Settings(), name) for name in LATER_SETTINGS} == LATER_SETTINGS


def test_settings_are_read_back_from_a_history_also_from_one_of_before():
    settings = dataclasses.replace(Settings(), schedule="wsd:0.2", seed=43, data_seed=7)
    history = History(run={"config": dataclasses.asdict(settings)})
    assert recorded_settings(history, Settings) == settings
    for name in LATER_SETTINGS:
        del history.run["config"][name]
    assert recorded_settings(history, Settings) == dataclasses.replace(Settings(), seed=43)


@pytest.mark.parametrize(("warmup", "said"), [(9, []), (10, ["--warmup 10"]), (11, ["--warmup 11"])])
def test_a_warm_up_that_never_ends_is_a_warning(warmup, said):
    found = dataclasses.replace(Settings(), steps=10, warmup=warmup).warnings()
    assert [line.partition(" does not end")[0] for line in found] == said
