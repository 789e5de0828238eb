"""The commands of the README's stages, in their order, in a fresh copy of the project: they leave no trace in git."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.helpers.tiny import ROOT, TINY_SETTINGS

# The sample in place of Wikipedia, with the thresholds that it is judged by in `make study`, and tiny sizes.
INSTEAD = {"--source api --contact you@example.org": "--source sample --output data/large_wikipedia_dataset.json"}
FURTHER = {"train_large_100k.py": TINY_SETTINGS, "evaluate_checkpoints.py": ["--examples", "64"]}


def commands(language):
    """The commands in the table of the README's part in that language, without the leading ``python``."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    part = readme.split("## English")[language == "en"]
    return re.findall(r"^\|[^|]*\| `python ([^`]+)` \|", part, re.MULTILINE)


def not_copied(folder, names):
    """What git ignores, and git itself."""
    own = {".git", ".venv", "runs", "data", "shared", ".hypothesis"} if folder == str(ROOT) else set()
    return [name for name in names if name in own or name.endswith(("_cache", "__pycache__"))]


def thresholds():
    """What `make study` asks of the sample."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.findall(r"--(?:min|max)-[-a-z0-9]+ [\d.]+", makefile)


def test_both_languages_give_the_same_commands():
    assert commands("en") == commands("zh")
    assert len(commands("en")) == 8


@pytest.mark.slow
def test_the_stages_in_order_in_a_fresh_copy(tmp_path):
    copy = shutil.copytree(ROOT, tmp_path / "copy", ignore=not_copied)
    (copy / "data").mkdir()

    def run(*command):
        variables = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command, cwd=copy, env=variables, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr}{done.stdout}"
        return done.stdout

    def changed_for_git():
        return run("git", "status", "--short")

    me = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "-A"), (*me, "commit", "-q", "-m", "all")):
        run("git", *command)
    assert "comes with the program" in " ".join(run(sys.executable, "check_progress.py").split())
    for command in commands("en"):
        for published, small in INSTEAD.items():
            command = command.replace(published, small)
        script, *arguments = shlex.split(command)
        judged = shlex.split(" ".join(thresholds())) if script == "verify_dataset.py" else []
        printed = run(sys.executable, script, *arguments, *judged, *FURTHER.get(script, []))
        assert "comes with the program" not in " ".join(printed.split())
        assert changed_for_git() == "", script
    for name in ("training_history_100k.json", "analysis_100k_result.json", "training_curves.png", "report.html"):
        assert (copy / name).exists()
    assert (copy / "exported" / "model.safetensors").exists()
    names = {path.name for path in copy.rglob("*") if ".git" not in path.parts}
    assert not [name for name in names if set(name) & set('<>:"|?*\\') or name[-1] in ". "]  # Windows has no such names
    # And once more, as somebody who begins another run.
    assert "another run" not in run(
        sys.executable, "train_large_100k.py", *TINY_SETTINGS, "--no-resume", "--seed", "43"
    )
    assert changed_for_git() == ""
