"""The report page in headless Chromium, wide and as narrow as a phone. It needs Debian's package chromium.

Without a browser these tests fail; they do not vanish.
"""

import html
import json
import re
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest

from pipeline.report.curves_page import curves_page
from pipeline.report.words import report_words
from tests.helpers.drawn import write_inputs
from tests.helpers.synthetic import make_history, make_scores
from tests.stages.test_visualize import draw

pytestmark = [pytest.mark.slow, pytest.mark.browser]
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
MEASURE = """<script>addEventListener("load", () => {
  const wide = [...document.images].map(image => image.naturalWidth);
  document.title = JSON.stringify({page: document.documentElement.scrollWidth, view: innerWidth, wide,
    text: parseFloat(getComputedStyle(document.body).fontSize)})})</script>"""


def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "these tests need a browser: apt-get install chromium"
    return found


def browse(folder, page, width, *more):
    profile = folder / f"profile_{page.stem}_{width}_{len(more)}"
    command = [chromium(), *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},2400", *more, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    history = make_history()
    (folder / "s.json").write_text(json.dumps(make_scores(history.run)))
    result = draw(write_inputs(folder, history), folder / "out", "--lang", "both", "--scores", folder / "s.json")
    assert result.returncode == 0, result.stderr
    return folder


def shades(path):
    """How many different rows of pixels a PNG picture has, by their compressed bytes: a blank page has one."""
    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    parts, place = [], 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        if data[place + 4 : place + 8] == b"IDAT":
            parts.append(data[place + 8 : place + 8 + length])
        place += length + 12
    pixels = zlib.decompress(b"".join(parts))
    row = len(pixels) // height
    return width, height, len({pixels[start : start + row] for start in range(0, len(pixels), row)})


@pytest.mark.parametrize("width", [1280, 500])
@pytest.mark.parametrize("name", ["report.html", "report.zh.html"])
def test_the_page_is_seen_whole_and_is_no_wider_than_the_window(report, name, width):
    """Chromium's headless window is never narrower than 500 px; narrower ones stand in a frame below."""
    shot = report / f"{name}_{width}.png"
    browse(report, report / "out" / name, width, f"--screenshot={shot}")
    assert shades(shot)[0] == width
    assert shades(shot)[2] > 500
    assert measured(report, name, width)["page"] <= width


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("name", ["report.html", "report.zh.html"])
def test_a_phone_shows_the_page_without_scrolling_sideways(report, name, width):
    found = measured(report, name, 800, frame=width)
    assert (found["view"], found["page"]) == (width, width)
    assert found["text"] >= 16
    assert len(found["wide"]) == 6
    assert all(found["wide"])  # every picture was decoded


def measured(report, name, width, frame=None):
    """What the page says about itself: a copy of it, freed of its ban on scripts, writes it into its title."""
    page = re.sub("<meta http-equiv[^>]*>", MEASURE, (report / "out" / name).read_text(encoding="utf-8"))
    copy = report / f"measured_{name}"
    copy.write_text(page, encoding="utf-8")
    opened = copy
    if frame:
        opened = report / f"frame_{frame}_{name}"
        inner = page.replace("document.title =", "parent.document.title =").replace("&", "&amp;").replace('"', "&quot;")
        opened.write_text(
            f'<!doctype html><meta charset="utf-8"><title>none</title>'
            f'<iframe style="border:0" width="{frame}" height="2000" srcdoc="{inner}"></iframe>',
            encoding="utf-8",
        )
    dumped = browse(report, opened, width, "--dump-dom", "--virtual-time-budget=20000").stdout
    return json.loads(re.search("<title>(.*?)</title>", dumped)[1])


READ = """<script>
const said = {};
if (!sessionStorage.getItem("second")) {
  sessionStorage.setItem("second", "yes");
  document.getElementById("scale").value = "log";
  document.getElementById("scale").dispatchEvent(new Event("input"));
  Plotly.relayout(plot, {"xaxis.range": [2, 3], "yaxis.range": [0.1, 0.2]}).then(() => location.reload());
} else {
  const line = plot.data.find(trace => trace.mode === "lines");
  document.title = JSON.stringify({x: line.x, y: line.y, type: plot.layout.xaxis.type, view: plot.layout.xaxis.range,
    height: plot.layout.yaxis.range, chosen: document.getElementById("scale").value, traces: plot.data.length,
    smooth: smooth([1, 2, 3, 40], [1, null, 3, 5], 0.7)});
}
</script></body>"""


def test_the_page_of_the_curves_draws_smooths_and_keeps_the_view_when_it_reloads(tmp_path):
    history = make_history()
    text = curves_page([("a", history)], report_words("en"))
    (tmp_path / "curves.html").write_text(text.replace("</body>", READ), encoding="utf-8")
    found = browse(tmp_path, tmp_path / "curves.html", 1280, "--virtual-time-budget=20000", "--dump-dom").stdout
    said = json.loads(html.unescape(re.search(r"<title>(\{.*?\})</title>", found).group(1)))
    assert (said["type"], said["chosen"]) == ("log", "log")
    assert said["view"] == [2, 3]
    assert said["height"] == [0.1, 0.2]
    assert said["traces"] == 2 * 7
    steps, values = np.array(history.steps, float), np.array(history.records["mlm_acc"])
    near = [values[np.abs(steps - step) <= 0.02 * step * (1 + 1e-9)].mean() for step in steps]
    assert said["x"] == history.steps
    assert said["y"] == pytest.approx(near, rel=1e-3)
    assert said["smooth"] == [[1, 3, 40], [1, 2, 5]]  # 1 reaches up to 1.7, 3 down to 0.9, 40 down to 12
