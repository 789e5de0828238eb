"""What the scripts do no more often, and load no more, than they need: their speed without a clock."""

import subprocess
import sys

import numpy as np
from matplotlib.figure import Figure

from pipeline.analyse.whole_analysis import analyse
from pipeline.figures import style
from pipeline.statistics import noise
from tests.helpers.drawn import write_inputs
from tests.helpers.synthetic import make_history
from tests.helpers.tiny import ROOT


def test_the_noise_of_a_list_is_learned_once_however_much_is_asked_of_it():
    """Both accuracies, for r, slopes and plateau; overfitting asks again about the held-out one, and about its loss."""
    noise._scatter.cache_clear()
    analyse(make_history(120), None, "now")
    kept = noise._scatter.cache_info()
    assert kept.misses == 3
    assert kept.hits == 1


def test_a_figure_is_drawn_once_for_each_file_and_laid_out_once(monkeypatch):
    drawn, laid_out, draw = [], [], Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda figure, renderer: (drawn.append(renderer), draw(figure, renderer)))
    figure, [axes] = style.new_figure(1, 1, 4, 3)
    engine = figure.get_layout_engine()
    monkeypatch.setattr(engine, "execute", lambda figure: laid_out.append(figure))
    axes.plot(np.arange(5), np.arange(5))
    style.pictures(figure)
    assert (len(drawn), len(laid_out)) == (2, 1)


def test_the_figures_need_nothing_of_scipy(tmp_path):
    options = [str(option) for option in (*write_inputs(tmp_path, make_history(60)), "--output-dir", tmp_path / "out")]
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "parts = {'stats', 'signal', 'optimize', 'special', 'linalg', 'interpolate', 'sparse'}\n"
        "print(code, sorted(part for part in parts if f'scipy.{part}' in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "visualize_results.py", *options],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.splitlines()[-1] == "0 []", result.stderr
