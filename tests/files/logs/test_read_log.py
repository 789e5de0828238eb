"""What a user may say of a log, rows in disorder, and files that are refused: one line that names the file."""

import argparse
import json

import pytest

from pipeline.files.history import History, read_history
from pipeline.files.logs.choices import Choices, add_log_options, choices_from
from pipeline.files.logs.export import write_csv
from pipeline.files.logs.notes import CHINESE
from pipeline.files.logs.read_log import read_groups, read_log, read_logs
from pipeline.stage import InputError
from tests.helpers.other_logs import plain_csv, trainer_state
from tests.helpers.synthetic import make_history


def written(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def notes(history, language="en"):
    return [note.say(language) for note in history.notes]


# --- what the user says


def test_columns_that_no_name_tells_are_named(tmp_path):
    path = written(tmp_path, "n,cost,right,speed,checked\n10,3,0.1,1e-3,0.2\n20,2,0.2,1e-4,0.3\n")
    with pytest.raises(InputError, match=r"log\.csv: read as CSV; none .* it has n, cost, right, speed, checked; "):
        read_log(path)
    roles = {"step": "n", "loss": "cost", "accuracy": "right", "lr": "speed", "held_out": "checked"}
    history = read_log(path, Choices(roles))
    assert (history.loss, history.accuracy, history.rate, history.held_out) == ("cost", "right", "speed", "checked")
    assert history.records == {
        "steps": [10, 20], "cost": [3, 2], "right": [0.1, 0.2], "speed": [1e-3, 1e-4], "checked": [0.2, 0.3],
    }  # fmt: skip


def test_what_is_named_is_not_guessed_for_another_role(tmp_path):
    path = written(tmp_path, "step,accuracy,loss\n10,0.1,3\n20,0.2,2\n")
    history = read_log(path, Choices({"held_out": "accuracy"}))
    assert (history.held_out, history.accuracy, history.loss) == ("accuracy", None, "loss")


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path):
    path = written(tmp_path, "step,loss\n10,3\n20,2\n")
    with pytest.raises(InputError, match=r"log\.csv: no column 'acc' for --columns accuracy=; there are step, loss"):
        read_log(path, Choices({"accuracy": "acc"}))
    with pytest.raises(InputError, match=r"log\.csv: no column 'acc' for --percent acc; there are step, loss"):
        read_log(path, Choices(percent=("acc",)))


def test_of_several_logs_each_takes_what_it_has(tmp_path):
    first = written(tmp_path, "step,cost,val_acc\n10,3,0.5\n20,2,0.6\n", "a.csv")
    second = written(tmp_path, "step,loss,val_acc\n10,3,50\n20,2,60\n", "b.csv")
    third = written(tmp_path, "step,loss,score,val_acc\n10,3,50,0.5\n20,2,60,0.7\n", "c.csv")
    a, b = read_logs([first, second], Choices({"loss": "cost"}, percent=()))
    assert (a.loss, b.loss) == ("cost", "loss")
    assert a.records["val_acc"] == [0.5, 0.6]
    assert b.records["val_acc"] == [0.5, 0.6]
    _, c = read_logs([first, third], Choices(percent=("score",)))
    assert (c.records["score"], c.records["val_acc"]) == ([0.5, 0.6], [0.5, 0.7])


def test_our_own_history_may_be_read_by_other_lists(tmp_path):
    make_history(20).write(tmp_path / "h.json")
    history = read_log(tmp_path / "h.json", Choices({"accuracy": "sample_mlm_acc"}))
    assert history.accuracy == "sample_mlm_acc"
    assert history.held_out == "eval_mlm_acc"
    assert history.notes == []
    with pytest.raises(InputError, match="has its steps in 'steps'"):
        read_log(tmp_path / "h.json", Choices({"step": "tokens"}))


def test_our_own_history_is_read_as_it_was_written(tmp_path):
    make_history(20).write(tmp_path / "h.json")
    assert read_log(tmp_path / "h.json") == read_history(tmp_path / "h.json")


def test_the_options_on_the_command_line(capsys):
    parser = argparse.ArgumentParser()
    add_log_options(parser)
    assert choices_from(parser.parse_args([])) == Choices()
    given = parser.parse_args(["--columns", "loss=a b=c", "step=n", "--percent"])
    assert choices_from(given) == Choices({"loss": "a b=c", "step": "n"}, ())
    assert choices_from(parser.parse_args(["--percent", "x", "y"])).percent == ("x", "y")
    for wrong in ("speed=x", "loss", "loss="):
        with pytest.raises(SystemExit):
            parser.parse_args(["--columns", wrong])
        assert f"{wrong!r} is not ROLE=NAME; the roles are accuracy, held_out, loss" in capsys.readouterr().err


# --- percent


def test_percent_by_convention_is_divided_and_said(tmp_path):
    history = read_log(written(tmp_path, "epoch,test_acc1\n0,0.1\n1,57.5\n"))
    assert history.records["test_acc1"] == [0.001, 0.575]
    assert "test_acc1: in percent, divided by 100" in notes(history)


def test_what_is_often_in_percent_but_never_above_one_is_left(tmp_path):
    path = written(tmp_path, "epoch,test_acc1\n0,0.1\n1,0.5\n")
    history = read_log(path)
    assert history.records["test_acc1"] == [0.1, 0.5]
    assert any("--percent test_acc1 divides" in note for note in notes(history))
    assert read_log(path, Choices(percent=("test_acc1",))).records["test_acc1"] == [0.001, 0.005]


def test_shares_above_one_by_other_names_are_refused_with_the_advice(tmp_path):
    path = written(tmp_path, "step,val_acc\n100,55.5\n200,60\n")
    with pytest.raises(InputError, match=r"log\.csv: val_acc is 55.5 at step 100; .* give --percent val_acc$"):
        read_log(path)
    assert read_log(path, Choices(percent=())).records["val_acc"] == [0.555, 0.6]


def test_a_percent_sign_is_understood(tmp_path):
    assert read_log(written(tmp_path, "step,val_acc\n100,55.5%\n200,60 %\n")).records["val_acc"] == [0.555, 0.6]


def test_our_own_history_in_percent(tmp_path):
    history = make_history(20)
    shares = history.records["mlm_acc"]
    history.records["mlm_acc"] = [100 * share for share in shares]
    history.write(tmp_path / "h.json")
    for percent in ((), ("mlm_acc",)):
        found = read_log(tmp_path / "h.json", Choices(percent=percent))
        assert found.records["mlm_acc"] == pytest.approx(shares)
        assert found.records["nsp_acc"] == history.records["nsp_acc"]
        assert notes(found) == ["mlm_acc: in percent, divided by 100"]


# --- steps


def test_a_run_that_was_resumed_counts_by_its_last_records(tmp_path):
    steps = [*range(100, 900, 100), *range(550, 1150, 100)]
    text = "\n".join(f"{step},{place},7" for place, step in enumerate(steps))
    history = read_log(written(tmp_path, f"step,loss,memory\n{text}\n"))
    assert history.steps == [100, 200, 300, 400, 500, 550, 650, 750, 850, 950, 1050]
    assert history.records["loss"] == [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13]
    assert any(note.startswith("3 records were written before a restart") for note in notes(history))


def test_the_last_of_several_records_at_one_step_counts(tmp_path):
    history = read_log(written(tmp_path, "step,loss,val_loss\n1,5,\n1,4,\n1,,9\n2,3,nan\n2,nan,8\n"))
    assert history.records == {"steps": [1, 2], "loss": [4, 3], "val_loss": [9, 8]}
    assert any(note.startswith("1 records were written") for note in notes(history))


def test_a_nan_that_stands_for_no_value_is_not_a_record(tmp_path):
    history = read_log(written(tmp_path, "step,loss,val_loss\n1,nan,9\n1,4,nan\n2,3,nan\n"))
    assert history.records["loss"] == [4, 3]
    assert history.records["val_loss"][0] == 9
    assert not any("were written before a restart" in note for note in notes(history))


def test_rows_in_disorder_are_sorted_and_it_is_said(tmp_path):
    history = read_log(written(tmp_path, "step,loss\n" + "\n".join(f"{step},{step}" for step in range(50, 0, -5))))
    assert history.steps == history.records["loss"] == list(range(5, 51, 5))
    assert "the rows are not in the order of their steps: sorted" in notes(history)


def test_steps_that_begin_again_in_every_epoch_become_fractions_of_epochs(tmp_path):
    rows = "\n".join(f"{epoch},{step},3" for epoch in (0, 1) for step in (0, 1, 2, 3))
    history = read_log(written(tmp_path, f"epoch,iter,loss\n{rows}\n"))
    assert history.steps == [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]
    assert history.columns.step == "epoch"


def test_epochs_from_one_stay_as_they_are(tmp_path):
    history = read_log(written(tmp_path, "epoch,loss\n1,3\n2,2\n"))
    assert (history.steps, history.columns.step) == ([1, 2], "epoch")
    assert "steps are epochs" in notes(history)


def test_without_a_counter_records_are_numbered(tmp_path):
    history = read_log(written(tmp_path, "loss,val_loss\n3,4\n2,3\n"))
    assert history.steps == [1, 2]
    assert "no column counts steps: records are numbered from 1" in notes(history)


def test_a_counter_that_most_rows_lack_gives_way(tmp_path):
    rows = [{"_step": n, "global_step": 7 if n == 3 else None, "train/loss": 3.0} for n in range(20)]
    history = read_log(written(tmp_path, "\n".join(map(json.dumps, rows)), "w.jsonl"))
    assert history.steps == list(range(20))


def test_rows_without_a_step_are_left_out_and_counted(tmp_path):
    rows = [{"step": n or None, "loss": 3.0} for n in range(20)]
    history = read_log(written(tmp_path, "\n".join(map(json.dumps, rows)), "w.jsonl"))
    assert history.steps == list(range(1, 20))
    assert "1 rows have no step: left out" in notes(history)


def test_a_log_that_is_still_written_lacks_its_last_line(tmp_path):
    history = read_log(written(tmp_path, '{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2}\n{"step": 3, "lo', "w.log"))
    assert history.records == {"steps": [1, 2], "loss": [2.5, 2]}
    assert "the last line is cut off: left out" in notes(history)
    assert len(read_log(written(tmp_path, '{"step": 1, "loss": 2.5}\n', "one.log"))) == 1


# --- shapes of CSV


@pytest.mark.parametrize(
    "text",
    [
        "step;loss\n10;3,5\n20;2,5\n",
        "step\tloss\n10\t3.5\n20\t2.5\n",
        "  step   loss\n    10    3.5\n    20    2.5\n",
        "# step loss\n1.0e1 3.5\n2.0e1 2.5\n",
        "# made by hand\n# with remarks\nstep,loss\n10,3.5\n20,2.5\n",
        "\ufeffstep,loss\r\n10,3.5\r\n20,2.5\r\n",
        "step,loss,\n10,3.5,\n20,2.5,\n",
    ],
)
def test_shapes_of_csv(tmp_path, text):
    assert read_log(written(tmp_path, text)).records == {"steps": [10, 20], "loss": [3.5, 2.5]}


def test_columns_without_a_header_are_numbered(tmp_path):
    path = written(tmp_path, "10,3.5\n20,2.5\n")
    assert read_log(path, Choices({"step": "1", "loss": "2"})).records == {"steps": [10, 20], "2": [3.5, 2.5]}


def test_texts_are_passed_over_and_other_numbers_kept(tmp_path):
    history = read_log(written(tmp_path, "step,loss,name,memory\n10,3,a,7\n20,2,b,\n"))
    assert history.records == {"steps": [10, 20], "loss": [3, 2], "memory": [7, None]}


# --- what is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "still empty"),
        ("hello world\nthis is a text of many words\n", "is neither JSON, JSON lines nor CSV .* 'hello world'"),
        ("loss\n3\n2\n", "is neither JSON, JSON lines nor CSV with two columns"),
        ("step,loss\n10,3\n20,OOM\n", "loss in row 2 must be a number, not 'OOM'"),
        ("step,loss\n10,3\n20,2,1\n", "line 3 has more cells than the first one, which names 2 columns"),
        ("step,loss\n-10,3\n20,2\n", r"steps\[0\] is -10; steps must lie between"),
        ("step,loss\n1e300,3\n", r"steps\[0\] is .*; steps must lie between"),
        ("step,loss\ninf,3\n", r"steps\[0\] is inf; steps must lie between"),
        ("step,acc\n10,-3\n", "acc is -3 at step 10; an accuracy is a share from 0 to 1"),
        ("step,acc\n10,500\n", "acc is 500 at step 10; an accuracy is a share from 0 to 1$"),
        ("step,a - loss,b - loss\n10,3,2\n", r"holds 2 runs \(a, b\); name the columns of one, as in --columns loss="),
        ("[]", "the history is still empty"),
        ("[1, 2]", "must be a JSON object, or an array of objects"),
        ("{}", "none of its columns is known"),
        ('{"a": [1, 2], "loss": [1]}', "all lists of a history must be equally long; theirs are a 2, loss 1"),
        ('{"loss": [true, 2]}', "loss in row 1 must be a number, not 'True'"),
        ('{"log_history": 3}', "log_history must be a list of objects"),
        ('{"log_history": [3]}', "log_history must be a list of objects"),
        ('{"log_history": []}', "the history is still empty"),
        ('{"steps": [1], "run": [], "loss": [2]}', "'run' must be an object"),
        ('{"step": 1, "loss": 2}\n{"step": 2, "loss": \n{"step": 3, "loss": 1}\n', "line 2 is broken JSON"),
        ('{"step": 1,\n "loss": [2}', "is broken JSON at line 2"),
        ("[" * 100_000, "brackets too deep"),
        ('{"step": 1, "loss": ' + "9" * 5000 + "}", "numbers too long"),
    ],
)
def test_a_log_that_cannot_be_read_is_refused_in_one_line(tmp_path, text, message):
    path = written(tmp_path, text, "some.log")
    with pytest.raises(InputError, match=rf"^\S*some\.log: .*({message})") as refused:
        read_log(path)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(InputError, match=r"weights\.pth: the history is not UTF-8 at byte 4"):
        read_log(tmp_path / "weights.pth")
    with pytest.raises(InputError, match=r"absent\.csv: the history is not there"):
        read_log(tmp_path / "absent.csv")


def test_an_empty_history_is_refused_where_records_are_needed(tmp_path):
    History().write(tmp_path / "h.json")
    with pytest.raises(InputError, match=r"h\.json: the history is still empty"):
        read_groups(Choices(), [tmp_path / "h.json"])
    plain_csv(tmp_path / "a.csv")
    trainer_state(tmp_path / "b.json")
    groups = read_groups(Choices(), [tmp_path / "a.csv", tmp_path / "b.json"], [], [tmp_path / "a.csv"])
    assert [[history.path.name for history in group] for group in groups] == [["a.csv", "b.json"], [], ["a.csv"]]


# --- what is said, and written


def test_what_is_missing_is_said_in_both_languages(tmp_path):
    history = read_log(written(tmp_path, "step,loss\n10,3\n20,2\n"))
    assert notes(history)[-1] == (
        "not in this log: training accuracy, held-out accuracy, held-out loss, learning rate, time; what needs them is "
        "left out"
    )
    assert notes(history, "zh")[-1].startswith("日志里没有：训练准确率、留出准确率、留出损失、学习率、时间；")
    published = {key: make_history(20).records[key] for key in ("steps", "loss", "mlm_acc")}
    (tmp_path / "p.json").write_text(json.dumps(published), encoding="utf-8")
    assert "sentence pairs (NSP)" in notes(read_log(tmp_path / "p.json"))[0]


def test_every_note_can_be_said_in_chinese():
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in CHINESE.values())
    for english, chinese in CHINESE.items():
        fields = [
            sorted(part.split("}")[0].split(":")[0] for part in text.split("{")[1:]) for text in (english, chinese)
        ]
        assert fields[0] == fields[1]


def test_exported_records_are_read_again_as_they_were(tmp_path):
    trainer_state(tmp_path / "t.json")
    ours = make_history(20)
    ours.write(tmp_path / "h.json")
    for name in ("t.json", "h.json"):
        history = read_log(tmp_path / name)
        write_csv(tmp_path / "out.csv", [history])
        again = read_log(tmp_path / "out.csv")
        assert {key: values for key, values in again.records.items() if again.has(key)} == {
            key: values for key, values in history.records.items() if history.has(key)
        }
        assert (again.accuracy, again.held_out, again.loss, again.rate) == (
            history.accuracy, history.held_out, history.loss, history.rate,
        )  # fmt: skip


def test_several_histories_are_exported_with_their_names(tmp_path):
    plain_csv(tmp_path / "a.csv")
    ours = make_history(2)
    ours.write(tmp_path / "h.json")
    write_csv(tmp_path / "out.csv", read_logs([tmp_path / "a.csv", tmp_path / "h.json"]))
    header, *rows = [line.split(",") for line in (tmp_path / "out.csv").read_text("utf-8").splitlines()]
    assert header[:3] == ["history", "steps", "loss"]
    assert [row[0] for row in rows] == [str(tmp_path / "a.csv")] * 60 + [str(tmp_path / "h.json")] * 2
    assert rows[-1][header.index("mlm_acc")] == repr(ours.records["mlm_acc"][-1])
    assert rows[0][header.index("mlm_acc")] == ""
