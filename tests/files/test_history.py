"""The history file: round trip, the published form, and every malformation refused by name."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.files.columns import Columns
from pipeline.files.history import FURTHER_KEYS, PUBLISHED_KEYS, History, common_accuracy, read_history
from pipeline.stage import InputError

KEYS = PUBLISHED_KEYS + FURTHER_KEYS
SHARES = set(Columns().shares())
numbers = st.floats(allow_nan=False)
shares = st.floats(0, 1)


@st.composite
def histories(draw):
    steps = sorted(draw(st.sets(st.integers(0, 10**9) | st.floats(0, 10**9), max_size=6)))
    history = History(run=draw(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | numbers | st.none())))
    for step in steps:
        record = {key: draw(st.none() | (shares if key in SHARES else numbers)) for key in KEYS}
        history.append({**record, "steps": step})
    return history


@settings(max_examples=50)
@given(history=histories())
def test_a_history_comes_back_as_it_was(tmp_path_factory, history):
    path = tmp_path_factory.mktemp("history") / "history.json"
    history.write(path)
    assert read_history(path) == history


PUBLISHED = {"steps": [100, 200], "mlm_acc": [0.1, 0.2], "nsp_acc": [0.5, 0.5], "loss": [9, 8.5], "lr": [1e-4, 2e-4]}


def read(tmp_path, value):
    path = tmp_path / "history.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return read_history(path)


def test_the_published_file_is_read(tmp_path):
    history = read(tmp_path, PUBLISHED)
    assert history.records == PUBLISHED
    assert history.run == {}
    assert history.has("loss")
    assert not history.has("eval_loss")


def test_nan_and_infinity_are_values(tmp_path):
    losses = read(tmp_path, {**PUBLISHED, "loss": [math.nan, math.inf]}).records["loss"]
    assert math.isnan(losses[0])
    assert losses[1] == math.inf


def test_lists_that_are_not_known_are_kept(tmp_path):
    more = {"wikitext_acc": [0.1, None], "notes": ["first", "second"], "longer": [1, 2, 3], "comment": "鱼"}
    history = read(tmp_path, {**PUBLISHED, **more})
    assert history.records == {**PUBLISHED, "wikitext_acc": [0.1, None]}
    assert history.other == {name: more[name] for name in ("notes", "longer", "comment")}
    history.write(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text("utf-8")) == {**PUBLISHED, **more, "run": {}}


CAUSAL = {
    "accuracy": {"train": "next_acc", "held_out": "eval_next_acc", "of": "next characters"},
    "loss": {"train": "nll", "unit": "nats"},
    "rate": "rate",
}


def test_columns_say_which_list_is_what(tmp_path):
    lists = {"steps": [1, 2], "next_acc": [0.1, 0.2], "eval_next_acc": [None, 0.2], "nll": [3.0, None], "rate": [1, 1]}
    history = read(tmp_path, {**lists, "run": {"columns": CAUSAL}})
    assert (history.accuracy, history.held_out, history.held_out_loss) == ("next_acc", "eval_next_acc", None)
    assert history.columns.pairs is None
    assert history.columns.accuracy.of == "next characters"
    assert history.series("nll").tolist()[0] == 3.0
    assert math.isnan(history.series("nll")[1])
    assert [values.tolist() for values in history.points("nll")] == [[1.0], [3.0]]
    assert history.last("nll") == 3.0
    assert (history.last_step, len(history)) == (2, 2)


def test_without_columns_a_history_is_one_of_masked_language_modelling(tmp_path):
    history = read(tmp_path, PUBLISHED)
    assert (history.accuracy, history.held_out, history.columns.pairs.train) == ("mlm_acc", None, "nsp_acc")
    assert history.best_accuracy == "mlm_acc"
    steps, values = history.points("eval_loss")
    assert len(steps) == len(values) == 0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], "run.columns must be an object"),
        ({**CAUSAL, "accuracy": None}, "run.columns.accuracy must be an object that names at least its 'train' list"),
        ({**CAUSAL, "loss": {"train": 3}}, "run.columns.loss must be an object"),
        ({**CAUSAL, "accuracy": {"train": "a", "heldout": "b"}}, "run.columns.accuracy.heldout is unknown"),
        ({**CAUSAL, "speed": "s"}, r"unknown roles \(speed\)"),
        ({**CAUSAL, "rate": 1}, "run.columns.rate must name a list"),
        ({**CAUSAL, "step": "minute"}, "run.columns.step must be 'step' or 'epoch', not 'minute'"),
    ],
)
def test_columns_that_cannot_be_read_are_named(tmp_path, columns, message):
    lists = {"steps": [1], "next_acc": [0.1], "nll": [3.0], "rate": [1]}
    with pytest.raises(InputError, match=rf"history\.json: .*{message}"):
        read(tmp_path, {**lists, "run": {"columns": columns}})


def test_runs_are_compared_by_held_out_accuracy_where_all_have_it():
    with_held_out, without = History(), History()
    for history, value in ((with_held_out, 0.2), (without, None)):
        history.append({**dict.fromkeys(KEYS, 0.5), "steps": 1, "eval_mlm_acc": value})
    assert common_accuracy([with_held_out, with_held_out]) == "held_out"
    assert common_accuracy([with_held_out, without]) == "accuracy"
    assert common_accuracy([without]) == "accuracy"
    assert (with_held_out.key_of("held_out"), with_held_out.key_of("accuracy")) == ("eval_mlm_acc", "mlm_acc")
    assert (without.key_of("held_out"), without.key_of("loss")) == (None, "loss")


def test_the_newest_value_of_a_list_is_found_behind_nulls():
    history = History({"steps": [1, 2, 3], "mlm_acc": [0.1, 0.2, None], "nsp_acc": [None] * 3})
    assert history.last("mlm_acc") == 0.2
    assert [history.last(key) for key in ("nsp_acc", "loss", None)] == [None] * 3


def test_a_record_must_have_all_keys():
    with pytest.raises(ValueError, match="differ"):
        History().append({"steps": 1})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": [9]}, "'loss' has 1 entries but 'steps' has 2"),
        ({"tokens": [1, 2, 3]}, "'tokens' has 3 entries"),
        ({"loss": 9}, "'loss' must be a list"),
        ({"loss": [9, "8"]}, r"loss\[1\] must be a number, not '8'"),
        ({"steps": [100, None]}, r"steps\[1\] must be a number, not None"),
        ({"lr": [True, 1]}, r"lr\[0\] must be a number, not True"),
        ({"steps": [200, 200]}, r"steps\[1\] is 200, after 200"),
        ({"steps": [200, 100.5]}, r"steps\[1\] is 100.5, after 200"),
        ({"steps": [True, 2]}, r"steps\[0\] must be a number, not True"),
        ({"steps": [-100, 100]}, r"steps\[0\] is -100; steps must lie between 0 and 9,007,199,254,740,992"),
        ({"steps": [1, math.nan]}, r"steps\[1\] is nan; steps must lie between"),
        ({"steps": [1, 10**100]}, r"steps\[1\] is 1000000000000000000000000000000000000\.\.\.; steps must lie between"),
        ({"mlm_acc": [0.1, 10.5]}, "mlm_acc is 10.5 at step 200; .*; where it is in percent, give --percent mlm_acc$"),
        ({"eval_mlm_acc": [0.1, 1e9]}, "eval_mlm_acc is 1e[+]09 at step 200; an accuracy is a share from 0 to 1$"),
        ({"nsp_acc": [-1.01, 0.5]}, "nsp_acc is -1.01 at step 100; an accuracy is a share from 0 to 1$"),
        ({"run": []}, "'run' must be an object"),
    ],
)
def test_a_malformed_history_is_refused_and_the_place_named(tmp_path, changes, message):
    with pytest.raises(InputError, match=rf"history\.json: .*{message}"):
        read(tmp_path, {**PUBLISHED, **changes})


@pytest.mark.parametrize("key", PUBLISHED_KEYS[1:])
def test_any_list_but_the_steps_may_be_missing(tmp_path, key):
    history = read(tmp_path, {name: values for name, values in PUBLISHED.items() if name != key})
    assert not history.has(key)
    assert np.isnan(history.series(key)).tolist() == [True, True]
    absent = {"mlm_acc": history.accuracy, "loss": history.loss, "lr": history.rate}
    assert {name for name, found in absent.items() if found is None} == {key} - {"nsp_acc"}


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"loss": [9.0, 8.5]}, "has no 'steps'; it has loss"),
        ({"steps": [1, 2], "val": [3, 4]}, "has none of the lists mlm_acc, eval_mlm_acc, .*; it has steps, val"),
        ({}, "has no 'steps'; it has nothing"),
    ],
)
def test_a_file_that_holds_no_history_is_refused_with_what_it_holds(tmp_path, lists, message):
    with pytest.raises(InputError, match=rf"history\.json: {message}"):
        read(tmp_path, lists)


def test_a_share_may_miss_its_limits_by_what_single_precision_costs(tmp_path):
    one = float(np.float32(1) + np.float32(1.2e-7))
    assert one > 1
    assert read(tmp_path, {**PUBLISHED, "mlm_acc": [-1e-7, one]}).records["mlm_acc"] == [-1e-7, one]


def test_numbers_that_no_trainer_measures_count_as_infinite(tmp_path):
    history = read(tmp_path, {**PUBLISHED, "loss": [10**400, -1e308], "mlm_acc": [1e308, 0.2]})
    assert history.series("loss").tolist() == [math.inf, -math.inf]
    assert history.points("mlm_acc")[1].tolist() == [0.2]


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_the_mark_at_the_start_of_a_text_is_passed_over(tmp_path, coding):
    path = tmp_path / "history.json"
    path.write_text(json.dumps(PUBLISHED), encoding=coding)
    assert read_history(path).records == PUBLISHED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"steps": "\xff"}', "is not UTF-8 at byte 11"),
        (b"\xff\xfe{\x00\x00\xdc", "is not UTF-16 at byte"),
        (b"[" * 100_000, "brackets too deep"),
        (b"", "broken JSON at line 1 column 1"),
        (b"[1, 2]", "must be a JSON object, not list"),
        (b'{"steps": [' + b"1" * 5000 + b"]}", "numbers too long"),
    ],
)
def test_a_file_that_is_not_json_is_refused(tmp_path, content, message):
    path = tmp_path / "history.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"history\.json: the history .*{message}"):
        read_history(path)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_a_half_written_file_is_refused(tmp_path, cut):
    path = tmp_path / "whole.json"
    history = History()
    for step in range(1, 50):
        history.append({**dict.fromkeys(KEYS, 0.5), "steps": step})
    history.write(path)
    text = path.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="broken JSON at line"):
        read(tmp_path, text[: int(cut * len(text))])


def test_a_missing_history_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json: .*not there"):
        read_history(tmp_path / "absent.json")


def test_a_write_that_fails_keeps_the_old_file(tmp_path):
    path = tmp_path / "history.json"
    History(run={"seed": 1}).write(path)
    with pytest.raises(TypeError):
        History(run={"seed": object()}).write(path)
    assert read_history(path).run == {"seed": 1}
    assert list(tmp_path.iterdir()) == [path]
