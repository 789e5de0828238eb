"""visualize_results.py, run as a user would."""

import json
import struct

import pytest

from pipeline.analyse.result import analyse
from tests.synthetic import make_history, write_published_shape
from tests.tiny import run_script

FIGURES = ("training_curves.png", "correlation_analysis.png", "comparison_50k_100k.png", "loss_analysis.png")


def prepare(folder, history, name="h"):
    """Write ``history`` and its analysis; gives the options that name them."""
    (folder / f"{name}_a.json").write_text(json.dumps(analyse(history, None, "now")))
    history.write(folder / f"{name}.json")
    return ["--history", folder / f"{name}.json", "--analysis", folder / f"{name}_a.json"]


def draw(options, output, *more):
    return run_script("visualize_results.py", *options, "--output-dir", output, *more)


def assert_pictures(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted(FIGURES)
    for name in FIGURES:
        data = (folder / name).read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        assert data.startswith(b"\x89PNG")
        assert width >= 2000
        assert height >= 900
        assert b"tEXt" not in data  # no date, no version


def test_a_finished_run_is_drawn_and_summed_up(tmp_path):
    options = prepare(tmp_path, make_history())
    result = draw(options, tmp_path / "out")
    assert (result.returncode, result.stderr) == (0, "")
    assert_pictures(tmp_path / "out")
    table = " ".join(result.stdout.split())
    for fact in (
        "steps 4,000",
        "masked characters 11,873 9,752",
        "MLM accuracy 28.41 % 22.13 %",
        "guess: from the left neighbour 14.20 % 11.80 %",
        "NSP accuracy 61.25 % of 1,440 pairs",
        "training time 5 min 00 s",
        "with autocorrelation",
        str(tmp_path / "out" / "loss_analysis.png"),
    ):
        assert fact in table
    again = draw(options, tmp_path / "again")
    assert again.returncode == 0
    for name in FIGURES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_five_published_lists_and_a_baseline(tmp_path):
    history = make_history()
    write_published_shape(history, tmp_path / "unused.json")
    options = prepare(tmp_path, history)
    make_history(50).write(tmp_path / "b.json")
    result = draw(options, tmp_path / "out", "--baseline", tmp_path / "b.json")
    assert (result.returncode, result.stderr) == (0, "")
    assert_pictures(tmp_path / "out")
    assert "held-out" not in result.stdout
    assert "NSP" not in result.stdout


def test_odd_histories_are_drawn_without_complaint(tmp_path):
    constant = make_history(20, finished=False)
    constant.records["mlm_acc"] = [0.25] * 20
    constant.records["nsp_acc"] = constant.records["eval_nsp_acc"] = [None] * 20
    constant.records["loss"][4] = float("nan")
    for name, history in {"one": make_history(1), "constant": constant}.items():
        result = draw(prepare(tmp_path, history, name), tmp_path / f"out_{name}")
        assert (result.returncode, result.stderr) == (0, ""), name
        assert_pictures(tmp_path / f"out_{name}")
        assert "not defined" in result.stdout


def spoil_analysis(folder):
    (folder / "h_a.json").write_text('{"pearson": {"r"')


def remove_analysis(folder):
    (folder / "h_a.json").unlink()


def grow_history(folder):
    make_history(21).write(folder / "h.json")


def remove_history(folder):
    (folder / "h.json").unlink()


def mistype_run(folder):
    history = make_history(20)
    history.run["test"] = {"mlm_acc": "high"}
    history.write(folder / "h.json")


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (spoil_analysis, "broken JSON"),
        (remove_analysis, "analyze_100k.py"),
        (grow_history, "before it grew"),
        (remove_history, "train_large_100k.py"),
        (mistype_run, "run.test.mlm_acc"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bad_input_is_refused_and_no_figure_is_touched(tmp_path, spoil, word):
    options = prepare(tmp_path, make_history(20))
    spoil(tmp_path)
    output = tmp_path / "out"
    output.mkdir()
    (output / "loss_analysis.png").write_text("precious")
    result = draw(options, output)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert word in result.stderr
    assert [path.name for path in output.iterdir()] == ["loss_analysis.png"]
    assert (output / "loss_analysis.png").read_text() == "precious"
