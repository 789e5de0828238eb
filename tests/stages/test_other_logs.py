"""The three scripts on logs of other trainers, as a user would run them: read, analysed, drawn, or refused by name."""

import csv
import json

import pytest

from pipeline.files.logs.notes import CHINESE
from tests.helpers import other_logs as logs
from tests.helpers.drawn import draw
from tests.helpers.in_process import run_here, succeeded
from tests.helpers.synthetic import make_history


def loss_only(path):
    rows = [f"{step},{logs.loss(step)}" for step in logs.training_steps()]
    path.write_text("\n".join(["step,loss", *rows]), encoding="utf-8")


def in_epochs(path):
    rows = [f"{step / logs.A_EPOCH},{logs.loss(step)},{logs.held_out(step)}" for step in logs.training_steps()]
    path.write_text("\n".join(["epoch,loss,val_acc", *rows]), encoding="utf-8")


LOGS = [
    (logs.trainer_state, "trainer_state.json", ["training accuracy", "time"]),
    (logs.plain_csv, "log.csv", ["training accuracy", "time"]),
    (logs.deit_lines, "log.txt", ["training accuracy", "time"]),
    (loss_only, "loss.csv", ["training accuracy", "held-out accuracy", "held-out loss", "learning rate", "time"]),
    (in_epochs, "epochs.csv", ["training accuracy", "held-out loss", "learning rate", "time"]),
    (logs.tensorboard_csv, "exported", ["training accuracy"]),
]


@pytest.mark.parametrize(("write", "name", "missing"), LOGS, ids=[each[1] for each in LOGS])
def test_the_three_scripts_take_it_and_say_what_is_missing(tmp_path, write, name, missing):
    path = tmp_path / name
    write(path)
    said = f"not in this log: {', '.join(missing)}; what needs them is left out"
    screen = succeeded(run_here("check_progress.py", "--history", path))
    assert said in " ".join(screen.replace("log   ", "").split())
    assert json.loads(succeeded(run_here("check_progress.py", "--history", path, "--json")))["notes"][-1] == said
    output = tmp_path / "analysis.json"
    report = succeeded(run_here("analyze_100k.py", "--history", path, "--output", output, "--target", 0.5))
    assert f"{path}: {said}" in report
    analysis = json.loads(output.read_text("utf-8"))
    assert analysis["log"]["missing"] == missing
    assert (analysis["held_out"] is None) == ("held-out accuracy" in missing)
    for language in ("en", "zh"):
        drawn = draw(tmp_path / language, "--history", path, "--analysis", output, "--lang", language)
        end = ".zh" if language == "zh" else ""
        assert f"loss_analysis{end}" in drawn.figures
        in_chinese = f"日志里没有：{'、'.join(CHINESE[each] for each in missing)}；需要它们的分析从略"
        assert (in_chinese if language == "zh" else said) in drawn.printed


def test_several_logs_of_several_kinds_stand_side_by_side(tmp_path):
    logs.plain_csv(tmp_path / "a.csv")
    logs.trainer_state(tmp_path / "b.json")
    make_history(60).write(tmp_path / "c.json")
    paths = [tmp_path / name for name in ("a.csv", "b.json", "c.json")]
    screen = succeeded(run_here("check_progress.py", "--history", *paths))
    assert [screen.count(f"{path.parent.name}/{path.name}") for path in paths] == [1, 1, 1]
    lines = succeeded(run_here("check_progress.py", "--json", "--history", *paths)).splitlines()
    assert [json.loads(line)["history"] for line in lines] == [str(path) for path in paths]
    output, exported = tmp_path / "analysis.json", tmp_path / "records.csv"
    succeeded(run_here("analyze_100k.py", "--history", *paths, "--output", output, "--csv", exported))
    several = json.loads(output.read_text("utf-8"))["several"]
    assert [run["records"] for run in several["histories"]] == [60, 60, 60]
    with exported.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["history"] for row in rows} == {str(path) for path in paths}
    assert [float(row["loss"]) for row in rows[:60]] == [logs.loss(step) for step in logs.training_steps()]
    drawn = draw(tmp_path / "figures", "--history", *paths, "--analysis", output, "--csv", tmp_path / "again.csv")
    assert "ladder" in drawn.figures
    assert (tmp_path / "again.csv").read_bytes() == exported.read_bytes()


def test_two_logs_of_one_length_are_not_taken_for_seeds(tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path in paths:
        logs.trainer_state(path)
    succeeded(run_here("analyze_100k.py", "--history", *paths, "--output", tmp_path / "analysis.json"))
    assert json.loads((tmp_path / "analysis.json").read_text("utf-8"))["several"]["kind"] == "experiments"


def test_what_the_user_says_of_columns_reaches_every_script(tmp_path):
    path = tmp_path / "own.csv"
    rows = [f"{step},{logs.loss(step)},{100 * logs.held_out(step)}" for step in logs.training_steps()]
    path.write_text("\n".join(["n,cost,right", *rows]), encoding="utf-8")
    said = ["--history", path, "--columns", "step=n", "loss=cost", "held_out=right", "--percent", "right"]
    output = tmp_path / "analysis.json"
    found = json.loads(succeeded(run_here("check_progress.py", *said, "--json", "--csv", tmp_path / "records.csv")))
    assert found["eval_mlm_acc"] == pytest.approx(logs.held_out(logs.training_steps()[-1]))
    assert (tmp_path / "records.csv").read_text("utf-8").startswith("steps,cost,right\n10,")
    succeeded(run_here("analyze_100k.py", *said, "--output", output))
    columns = json.loads(output.read_text("utf-8"))["log"]["columns"]
    assert columns == {"accuracy": None, "held_out": "right", "loss": "cost", "held_out_loss": None, "lr": None,
                       "step": "step"}  # fmt: skip
    assert "correlation_analysis" in draw(tmp_path / "figures", *said, "--analysis", output).figures


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c\n1,2,3\n4,5,6\n", "it has a, b, c; name them, as in --columns loss="),
        ("step,val_acc\n1,50\n2,60\n", "give --percent val_acc"),
        ("step,loss\n1,2\n2,x\n", "loss in row 2 must be a number"),
        ("\x00\x01\x02", "is neither JSON, JSON lines nor CSV"),
    ],
)
def test_a_log_that_is_not_understood_is_refused_by_every_script(tmp_path, text, message):
    path = tmp_path / "some.log"
    path.write_text(text, encoding="utf-8")
    for script, *more in (
        ["check_progress.py"],
        ["check_progress.py", "--json"],
        ["analyze_100k.py", "--output", tmp_path / "a.json"],
        ["visualize_results.py", "--analysis", tmp_path / "a.json", "--output-dir", tmp_path / "figures"],
    ):
        result = run_here(script, "--history", path, *more)
        assert (result.returncode, result.stdout) == (2, "")
        assert len(result.stderr.splitlines()) == 1
        assert f"error: {path}: " in result.stderr
        assert message in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["some.log"]


def test_only_the_plan_of_a_log_tells_whether_it_is_finished(tmp_path):
    logs.trainer_state(tmp_path / "t.json")
    state = json.loads((tmp_path / "t.json").read_text("utf-8"))
    (tmp_path / "longer.json").write_text(json.dumps({**state, "max_steps": 700}), encoding="utf-8")
    logs.plain_csv(tmp_path / "p.csv")
    paths = [tmp_path / name for name in ("t.json", "longer.json", "p.csv")]
    lines = succeeded(run_here("check_progress.py", "--json", "--history", *paths)).splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["finished", "unknown", "unknown"]
    assert [json.loads(line)["total_steps"] for line in lines] == [600, 700, None]
    watched = run_here("check_progress.py", "--history", tmp_path / "t.json", "--watch", "0.1")
    assert (watched.returncode, "finished" in watched.stdout) == (0, True)
