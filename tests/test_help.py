"""``--help`` of every script: 80 columns, examples before the options, and metavars that say what is wanted."""

import argparse
import contextlib
import io
import re
from unittest import mock

import pytest

from pipeline.command_line import Page, StageParser
from pipeline.formatting import columns_of
from tests.helpers.in_process import run_here
from tests.helpers.tiny import ROOT

SCRIPTS = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.py"), *(ROOT / "study").rglob("*.py")]
    if re.search(r"(StageParser|trainer_parser)\(", path.read_text(encoding="utf-8"))
)
SAYS_NOTHING = {"PATH", "ARG", "VALUE", "VAL", "OPT"}
# A letter or two say nothing either.
METAVAR = re.compile(r"[A-Z]{3,}(=[A-Z]{3,}|\|auto)?")


@pytest.fixture(scope="module", params=SCRIPTS)
def page(request):
    """Each script with its help page, and the parsers that made it."""
    parsers = []

    def kept(parser, *arguments, **settings):
        parsers.append(parser)
        return real(parser, *arguments, **settings)

    real = argparse.ArgumentParser.parse_args
    with mock.patch.object(argparse.ArgumentParser, "parse_args", kept), mock.patch.dict("os.environ", COLUMNS="80"):
        shown = run_here(request.param, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    return request.param, shown.stdout, parsers[0]


def test_every_script_with_options_is_looked_at():
    assert len(SCRIPTS) >= 22
    assert {"train_large_100k.py", "train_causal_lm.py"} <= set(SCRIPTS)
    others = [path for path in [*ROOT.glob("*.py"), *(ROOT / "study").rglob("*.py"), *(ROOT / "pipeline").rglob("*.py")]
              if "argparse.ArgumentParser(" in path.read_text(encoding="utf-8")]  # fmt: skip
    assert others == []


def test_it_fits_80_columns(page):
    script, shown, _ = page
    assert [line for line in shown.splitlines() if columns_of(line) > 80] == [], script


def test_examples_come_before_the_options(page):
    script, shown, _ = page
    usage, _, rest = shown.partition("\n\n")
    assert usage.count("\n") <= 1
    start = re.search(r"^(options|positional arguments|commands|files|input|source):", rest, re.MULTILINE)
    example = re.search(rf"^    ((OMP_NUM_THREADS=1 )?python {script}|make gpu)", rest, re.MULTILINE)
    assert example, script
    assert example.start() < start.start()


def test_metavars_say_what_is_wanted_and_every_option_is_explained(page):
    script, _, parser = page
    for action in parser._actions:
        named = f"{script} {(action.option_strings or [action.dest])[-1]}"
        assert action.help or isinstance(action, argparse._SubParsersAction), named
        if action.nargs == 0 or (action.choices and action.metavar is None):
            continue
        for wanted in [action.metavar] if isinstance(action.metavar, str) else action.metavar or [""]:
            assert METAVAR.fullmatch(wanted), f"{named}: {wanted!r}"
            assert wanted not in SAYS_NOTHING, named


def described(text, columns):
    with mock.patch.dict("os.environ", COLUMNS=str(columns)):
        parser = StageParser("x.py", description=text)
        parser.add_argument("place", metavar="FILE")
        parser.add_argument("--more", nargs="+", metavar="NAME", required=True)
        parser.add_argument("--less", metavar="NUMBER")
        return parser.format_help()


TEXT = """What it does.

    python x.py                 # short
    python x.py --more a b      # a comment that is somewhat longer
    python x.py --more a b --less 3 \\
        --other and/a/long/path/to/a/file

A paragraph of ``code`` and words that is longer than forty columns.
"""


def test_paragraphs_are_filled_and_commands_stay_lines():
    wide = described(TEXT, 200).splitlines()
    assert wide[0] == "usage: x.py FILE --more NAME [NAME ...] [options]"
    assert wide[2:7] == [
        "What it does.",
        "",
        "    python x.py             # short",
        "    python x.py --more a b  # a comment that is somewhat longer",
        "    python x.py --more a b --less 3 --other and/a/long/path/to/a/file",
    ]
    narrow = described(TEXT, 50).splitlines()
    assert narrow[4:12] == [
        "    # short",
        "    python x.py",
        "    # a comment that is somewhat longer",
        "    python x.py --more a b",
        "    python x.py --more a b --less 3 \\",
        "        --other and/a/long/path/to/a/file",
        "",
        "A paragraph of `code` and words that is longer",
    ]
    assert 70 < max(map(len, described("word " * 60, 200).splitlines())) <= 80
    assert max(map(len, described(TEXT, 20).splitlines())) <= 50


def test_a_wrong_option_shows_the_short_usage():
    told = io.StringIO()
    parser = StageParser("x.py", description=TEXT)
    parser.add_argument("--less", metavar="NUMBER", type=int)
    with contextlib.redirect_stderr(told), pytest.raises(SystemExit):
        parser.parse_args(["--less", "much"])
    assert told.getvalue().splitlines()[0] == "usage: x.py [options]"


def test_a_list_of_names_goes_on_below_its_beginning():
    filled = Page("x.py")._fill_text("presets:\n  small        one two three four", 26, "")
    assert filled == "presets:\n  small        one two\n               three four"
