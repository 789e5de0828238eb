"""Histories as no trainer should write them, over all three scripts: a sensible result, or one line with the file."""

import json
import math
import warnings

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG

from tests.helpers.in_process import run_here
from tests.helpers.synthetic import make_history

RECORDS = 60


def odd(**changes):
    """A history of 60 records with some of its lists replaced; a function is given the list that was there."""
    history = make_history(RECORDS)
    value = {**history.records, "run": history.run}
    for key, change in changes.items():
        value[key] = change(value[key]) if callable(change) else change
    return value


def at_ten(value):
    return lambda values: [*values[:10], value, *values[11:]]


def everywhere(value):
    return [value] * RECORDS


ACCEPTED = {
    "one record": {key: values[:1] for key, values in make_history(1).records.items()},
    "two records": {key: values[:2] for key, values in make_history(2).records.items()},
    "constant accuracy": odd(mlm_acc=everywhere(0.3), eval_mlm_acc=everywhere(0.3)),
    "constant loss": odd(loss=everywhere(3), eval_loss=everywhere(3)),
    "accuracies of 0": odd(mlm_acc=everywhere(0), eval_mlm_acc=everywhere(0.0)),
    "accuracies of 1": odd(mlm_acc=everywhere(1), eval_mlm_acc=everywhere(1.0)),
    "all NaN": odd(mlm_acc=everywhere(math.nan), eval_mlm_acc=everywhere(math.nan), loss=everywhere(math.nan)),
    "all null": {key: values if key == "steps" else everywhere(None) for key, values in odd().items() if key != "run"},
    "infinities": odd(loss=at_ten(math.inf), mlm_acc=at_ten(-math.inf), seconds=at_ten(math.inf), lr=at_ten(math.inf)),
    "all infinite": odd(loss=everywhere(math.inf), eval_loss=everywhere(-math.inf), tokens=everywhere(math.inf)),
    "huge values": odd(mlm_acc=at_ten(1e308), loss=at_ten(1e308), lr=at_ten(1e308), grad_norm=at_ten(10**400)),
    "huge losses": odd(loss=[1e99 * number for number in range(1, RECORDS + 1)]),
    "tiny losses": odd(loss=[1e-300 * number for number in range(1, RECORDS + 1)]),
    "negative accuracy": odd(mlm_acc=at_ten(-0.25)),
    "negative loss": odd(loss=lambda values: [-value for value in values]),
    "perplexities for losses": odd(loss=lambda values: [math.exp(value) for value in values]),
    "negative learning rate": odd(lr=at_ten(-1.0)),
    "time that runs back": odd(seconds=lambda values: values[::-1]),
    "fractional steps": odd(steps=[number / 7 for number in range(1, RECORDS + 1)]),
    "steps from 0": odd(steps=list(range(RECORDS))),
    "one record at step 0": {"steps": [0], "mlm_acc": [0.1], "loss": [3.0], "lr": [1e-3]},
    "steps that begin late": odd(steps=[10**8 + number for number in range(RECORDS)]),
    "counts that are none": odd(nsp_pairs=everywhere(0.25), mlm_targets=everywhere(10**90)),
    "large steps": odd(steps=[10**13 * number for number in range(1, RECORDS + 1)]),
    "a gap before the last step": odd(steps=[*range(RECORDS - 1), 2**52]),
    "a byte order mark": "\ufeff" + json.dumps(odd()),
}
REFUSED = {
    "not UTF-8": (json.dumps({"鱼": 1}, ensure_ascii=False).encode("gb18030"), "not UTF-8 at byte"),
    "half of UTF-16": (b"\xff\xfe{", "not UTF-16 at byte"),
    "deep nesting": ('{"run": ' + "[" * 100_000, "brackets too deep"),
    "an empty file": ("", "still empty"),
    "no records": ({key: [] for key in odd() if key != "run"}, "still empty"),
    "a table without rows": ("step,loss\n", "still empty"),
    "a trainer's state without records": ({"log_history": []}, "still empty"),
    "booleans": (odd(mlm_acc=at_ten(True)), "mlm_acc[10] must be a number, not True"),
    "strings": (odd(loss=at_ten("3.1")), "loss[10] must be a number, not '3.1'"),
    "unsorted": (odd(steps=at_ten(1)), "steps must rise"),
    "duplicate": (odd(steps=at_ten(400)), "steps[10] is 400, after 400"),
    "negative steps": (odd(steps=list(range(-5, RECORDS - 5))), "steps[0] is -5"),
    "astronomic steps": (odd(steps=[10**32 * number for number in range(1, RECORDS + 1)]), "steps must lie between"),
    "steps that cannot be told apart": (odd(steps=[2**53 - RECORDS + number for number in range(RECORDS)]), "too near"),
    "microscopic steps": (odd(steps=[1e-300 * number for number in range(1, RECORDS + 1)]), "too near"),
    "percent": (odd(mlm_acc=lambda values: [100 * value for value in values]), "give --percent mlm_acc"),
    "accuracies that are none": (odd(eval_mlm_acc=at_ten(1e9)), "eval_mlm_acc is 1e+09 at step 440"),
    "a list that is none": (odd(loss=3), "'loss' must be a list"),
    "unequal lists": (odd(loss=[3.0]), "'loss' has 1 entries but 'steps' has 60"),
    "a run that is none": (odd(run=[]), "'run' must be an object"),
    "settings that are none": (odd(run={"config": 3}), "run.config must be an object"),
    "a number of steps that is none": (odd(run={"config": {"steps": "a"}}), "run.config.steps must be a whole number"),
    "an astronomic number of steps": (
        odd(run={"config": {"steps": 10**30}}),
        "run.config.steps must be a whole number",
    ),
    "columns that are none": (odd(run={"columns": {"accuracy": 3}}), "run.columns.accuracy must be an object"),
}


def written(tmp_path, content):
    path = tmp_path / "odd.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def unrendered(monkeypatch):
    for canvas, kind in ((FigureCanvasAgg, "png"), (FigureCanvasSVG, "svg")):
        monkeypatch.setattr(canvas, f"print_{kind}", lambda _, target, **__: target.write(b"picture"))


@pytest.mark.parametrize("kind", ACCEPTED)
def test_what_can_be_understood_is(tmp_path, kind):
    path, analysis = written(tmp_path, ACCEPTED[kind]), tmp_path / "analysis.json"
    calls = (
        ["check_progress.py"],
        ["check_progress.py", "--json"],
        ["analyze_100k.py", "--output", analysis, "--target", 0.5, "--at", 10**6],
        ["visualize_results.py", "--analysis", analysis, "--output-dir", tmp_path / "figures"],
    )
    for script, *more in calls:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = run_here(script, "--history", path, *more)
        assert (result.returncode, result.stderr) == (0, ""), script
        assert result.stdout
    found = json.loads(analysis.read_text("utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert found["data_points"] == len(json.loads(path.read_text("utf-8-sig"))["steps"])


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_is_refused_in_one_line_by_all_scripts(tmp_path, kind):
    content, message = REFUSED[kind]
    path = written(tmp_path, content)
    make_history(RECORDS).write(tmp_path / "good.json")
    analysis = tmp_path / "analysis.json"
    calls = [
        ["analyze_100k.py", "--output", analysis],
        ["visualize_results.py", "--analysis", analysis, "--output-dir", tmp_path / "figures"],
    ]
    if kind != "no records":  # which a run that has just begun has not either
        calls += [["check_progress.py"], ["check_progress.py", "--json"]]
    for script, *more in calls:
        result = run_here(script, "--history", path, *more)
        assert (result.returncode, result.stdout) == (2, ""), script
        assert len(result.stderr.splitlines()) == 1
        assert f"{path}: " in result.stderr
        assert message in result.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["good.json", "odd.json"]
