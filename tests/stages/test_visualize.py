"""visualize_results.py, run as a user would."""

import json
import resource
import runpy
import struct
import sys

import pytest

from pipeline.figures import fonts
from pipeline.files.scores import scores_beside
from tests.helpers.drawn import write_inputs
from tests.helpers.synthetic import make_history, make_scores, write_published_shape
from tests.helpers.tiny import ROOT, run_script

FIGURES = ("training_curves", "correlation_analysis", "comparison_50k_100k", "loss_analysis")


def draw(options, output, *more):
    return run_script("visualize_results.py", *options, "--output-dir", output, *more)


def assert_pictures(folder, figures=FIGURES, ends=("",)):
    kinds = [f"{name}{end}.{kind}" for name in figures for end in ends for kind in ("png", "svg")]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*kinds, *(f"report{end}.html" for end in ends)])
    for name in kinds:
        data = (folder / name).read_bytes()
        if name.endswith("png"):
            width, height = struct.unpack(">II", data[16:24])
            assert data.startswith(b"\x89PNG")
            assert width >= 3000
            assert height >= 1400
            assert b"tEXt" not in data  # no date, no version
        else:
            assert data.startswith(b"<?xml")
            assert b"<svg" in data


def test_a_finished_run_is_drawn_and_summed_up(tmp_path):
    options = write_inputs(tmp_path, make_history())
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
        str(tmp_path / "out" / "report.html"),
    ):
        assert fact in table
    again = draw(options, tmp_path / "again")
    assert again.returncode == 0
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_the_report_holds_the_numbers_and_needs_nothing_beside_it(tmp_path):
    options = write_inputs(tmp_path, make_history())
    assert draw(options, tmp_path / "out").returncode == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for fact in ("28.41 %", "11,873", "Pearson r", "exponential", "843,412", "quickstart", "How to read this"):
        assert fact in page
    assert page.count("data:image/svg+xml;base64,") == len(FIGURES)
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "<script" not in page


def test_a_name_cannot_break_the_page(tmp_path):
    history = make_history(20)
    history.run["device"] = "<script>alert(1)</script>"
    assert draw(write_inputs(tmp_path, history), tmp_path / "out").returncode == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_both_languages_with_every_figure(tmp_path):
    """Where no Chinese font is installed the figures are English, which is said; elsewhere no glyph is missing."""
    history = make_history()
    options = write_inputs(tmp_path, history)
    make_history(50, total=2000).write(tmp_path / "short.json")
    (tmp_path / "s.json").write_text(json.dumps(make_scores(history.run)))
    options.insert(2, tmp_path / "short.json")
    result = draw(options, tmp_path / "out", "--lang", "both", "--scores", tmp_path / "s.json")
    assert (result.returncode, result.stderr) == (0, "")  # a missing glyph is a warning on stderr
    figures = (*FIGURES, "ladder", "deciles", "counting")
    page = (tmp_path / "out" / "report.zh.html").read_text(encoding="utf-8")
    assert "怎样读这些数字" in page
    if fonts.chinese_font() is None:
        assert "apt-get install" in result.stdout
        assert "图中文字为英文" in page
        assert {path.name for path in (tmp_path / "out").glob("*.png")} == {f"{name}.png" for name in figures}
    else:
        assert f"Chinese letters: {fonts.chinese_font()}" in result.stdout
        assert_pictures(tmp_path / "out", figures, ("", ".zh"))
        for name in figures:
            english, chinese = ((tmp_path / "out" / f"{name}{end}.png").read_bytes() for end in ("", ".zh"))
            assert english != chinese


def test_without_a_chinese_font_the_figures_are_english(tmp_path, monkeypatch, capsys):
    options = [*write_inputs(tmp_path, make_history(20)), "--output-dir", tmp_path / "out", "--lang", "zh"]
    monkeypatch.setattr(fonts, "chinese_font", lambda: None)
    monkeypatch.setattr(sys, "argv", ["visualize_results.py", *map(str, options)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "visualize_results.py"), run_name="__main__")
    assert end.value.code == 0
    assert "apt-get install" in capsys.readouterr().out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"{name}.{kind}" for name in FIGURES for kind in ("png", "svg")} | {"report.zh.html"}
    assert "图中文字为英文" in (tmp_path / "out" / "report.zh.html").read_text(encoding="utf-8")


def test_the_five_published_lists_and_a_baseline(tmp_path):
    history = make_history()
    write_published_shape(history, tmp_path / "unused.json")
    options = write_inputs(tmp_path, history)
    make_history(50).write(tmp_path / "b.json")
    result = draw(options, tmp_path / "out", "--baseline", tmp_path / "b.json")
    assert (result.returncode, result.stderr) == (0, "")
    assert_pictures(tmp_path / "out")
    assert "not in this log: held-out accuracy, held-out loss, time; what needs them is left out" in result.stdout
    assert "held-out articles" not in result.stdout
    assert "NSP accuracy" not in result.stdout


def test_odd_histories_are_drawn_without_complaint(tmp_path):
    constant = make_history(20, finished=False)
    constant.records["mlm_acc"] = [0.25] * 20
    constant.records["nsp_acc"] = constant.records["eval_nsp_acc"] = [None] * 20
    constant.records["loss"][4] = float("nan")
    empty = make_history(20, finished=False)
    for key in ("mlm_acc", "loss", "lr"):
        empty.records[key] = [float("nan")] * 20
    for name, history in {"one": make_history(1), "constant": constant, "no number": empty}.items():
        result = draw(write_inputs(tmp_path, history, name), tmp_path / f"out_{name}")
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


def mistype_findings(folder):
    analysis = json.loads((folder / "h_a.json").read_text())
    analysis["anomalies"] = [{"key": "loss"}]
    (folder / "h_a.json").write_text(json.dumps(analysis))


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
        (mistype_findings, "anomalies[0].kind must be one of"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bad_input_is_refused_and_no_figure_is_touched(tmp_path, spoil, word):
    options = write_inputs(tmp_path, make_history(20))
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


def test_scores_beside_the_history_are_found(tmp_path):
    history = make_history()
    options = write_inputs(tmp_path, history, "training_history_7")
    (tmp_path / "checkpoint_evaluation_7.json").write_text(json.dumps(make_scores(history.run)))
    assert draw(options, tmp_path / "out").returncode == 0
    assert_pictures(tmp_path / "out", (*FIGURES, "deciles", "counting"))
    assert scores_beside(tmp_path / "history.json") == tmp_path / "checkpoint_evaluation.json"


def test_scores_of_another_run_are_refused(tmp_path):
    history = make_history(20)
    options = write_inputs(tmp_path, history)
    (tmp_path / "s.json").write_text(json.dumps(make_scores(make_history(20, total=5000).run)))
    result = draw(options, tmp_path / "out", "--scores", tmp_path / "s.json")
    assert result.returncode == 2
    assert "scores another run (steps: 5000 -> 4000)" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_hundred_thousand_records_are_drawn_within_half_a_minute(tmp_path):
    """Processor time, which other programs on the machine lengthen less than the time on the wall."""
    make_history(100_000, 1, total=100_000).write(tmp_path / "h.json")
    options = ["--history", tmp_path / "h.json"]
    assert run_script("analyze_100k.py", *options, "--output", tmp_path / "a.json").returncode == 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result = draw([*options, "--analysis", tmp_path / "a.json"], tmp_path / "out")
    assert (result.returncode, result.stderr) == (0, "")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 30
    for path in (tmp_path / "out").glob("*.svg"):
        assert path.stat().st_size < 2_500_000, path.name


def test_the_curves_to_be_read_off_beside_the_report_or_alone(tmp_path):
    options = write_inputs(tmp_path, make_history())
    result = draw(options, tmp_path / "out", "--interactive", "--lang", "both")
    assert result.returncode == 0, result.stderr
    for name in ("curves.html", "curves.zh.html"):
        assert str(tmp_path / "out" / name) in result.stdout
        assert "Plotly" in (tmp_path / "out" / name).read_text(encoding="utf-8")
    result = draw(options, tmp_path / "live", "--live")
    assert result.returncode == 0, result.stderr  # the run is finished, so there is nothing to follow
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["curves.html"]
    assert "finished" in result.stdout
