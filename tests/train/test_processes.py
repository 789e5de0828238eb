"""Several processes: what they are told by the environment, and that none is left waiting for another."""

import platform
import re
import signal
import socket
import textwrap
from datetime import timedelta

import pytest

from pipeline.stage import InputError
from pipeline.train.processes import Processes
from tests.helpers.siblings import run_siblings

LAUNCHER = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
GOOD = {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


@pytest.fixture
def refused(monkeypatch):
    """The complaint about an environment; None as a value unsets."""
    monkeypatch.setattr("pipeline.train.processes.PATIENCE", timedelta(seconds=1))

    def of(environment, device="cpu"):
        for name in LAUNCHER:
            monkeypatch.delenv(name, raising=False)
            if environment.get(name) is not None:
                monkeypatch.setenv(name, environment[name])
        with pytest.raises(InputError) as error, Processes(device):
            pass
        assert "\n" not in str(error.value)
        return str(error.value)

    return of


@pytest.mark.parametrize("name", ["WORLD_SIZE", "RANK", "MASTER_PORT"])
@pytest.mark.parametrize("value", ["two", "-1", "1.5", " "])
def test_variables_that_are_not_whole_numbers(refused, name, value):
    assert refused({**GOOD, name: value}).startswith(f"{name} must be a whole number from ")


@pytest.mark.parametrize(("name", "value"), [("WORLD_SIZE", "0"), ("MASTER_PORT", "0"), ("MASTER_PORT", "65536")])
def test_variables_out_of_range(refused, name, value):
    assert refused({**GOOD, name: value}).startswith(f"{name} must be a whole number from 1")


@pytest.mark.parametrize("names", [("RANK",), ("MASTER_ADDR",), ("MASTER_PORT",), ("MASTER_ADDR", "MASTER_PORT")])
@pytest.mark.parametrize("value", [None, ""])
def test_variables_that_are_missing(refused, names, value):
    assert refused({**GOOD, **dict.fromkeys(names, value)}).startswith(f"WORLD_SIZE is 2 but {' and '.join(names)} not")


@pytest.mark.parametrize("environment", [{**GOOD, "RANK": "2"}, {"RANK": "1"}, {"WORLD_SIZE": "1", "RANK": "1"}])
def test_a_rank_beyond_the_processes(refused, environment):
    """Alone and not the first, a process would train and write nothing."""
    assert "RANK is" in refused(environment)


def test_several_processes_on_the_one_gpu_of_a_mac(refused, monkeypatch):
    assert refused(GOOD, "mps") == "2 processes cannot share Apple's GPU; start one alone, or give --device cpu"
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert Processes("mps").device.type == "mps"


def test_nobody_at_the_address(refused):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = str(taken.getsockname()[1])
        said = refused({**GOOD, "RANK": "1", "MASTER_PORT": port})
    assert said.startswith(f"process 1 of 2 does not reach the others at 127.0.0.1:{port} (")


START = """
import os, signal, sys, time
from datetime import timedelta
import torch
from pipeline.stage import InputError, RunFailed, run_stage
from pipeline.train import processes as module

module.PATIENCE = timedelta(seconds=60)

def main():
    with module.Processes("cpu") as processes:
        return processes.leave(work(processes) or 0)

def work(processes):
"""


@pytest.fixture
def ended(tmp_path):
    """(exit codes, what was said on stderr) of so many processes that do ``work`` as the trainer does its own."""

    def of(work, count=2):
        program = START + textwrap.indent(textwrap.dedent(work), "    ") + "\nrun_stage(main)\n"
        results = run_siblings(tmp_path, program, [()] * count)
        return [result.returncode for result in results], [result.stderr for result in results]

    return of


AGREEING = """
    with processes.together() as facts:
        {}
    processes.greatest(0)
"""


def test_processes_that_agree_go_on(ended):
    assert ended(AGREEING.format("facts['step'] = 5")) == ([0, 0], ["", ""])


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("InputError('bad\\n  file')", 2, "bad file"),
        ("RunFailed('diverged')", 3, "diverged"),
        ("FileNotFoundError(2, 'not there', 'a.json')", 2, "a.json: not there"),
    ],
)
def test_an_error_in_one_ends_all_and_the_first_says_it(ended, rank, error, code, said):
    codes, errors = ended(AGREEING.format(f"if processes.rank == {rank}: raise {error}"), count=3)
    assert codes == [code] * 3
    assert errors[1:] == ["", ""]
    assert re.fullmatch(f"error: (process {rank} on \\S+: )?{said}\n", errors[0])
    assert ("process" in errors[0]) == (rank > 0)


def test_the_same_error_in_all_is_said_once(ended):
    codes, errors = ended(AGREEING.format("raise InputError('bad')"))
    assert (codes, errors) == ([2, 2], ["error: bad\n", ""])


def test_a_difference_ends_all_and_the_first_names_it(ended):
    codes, errors = ended(AGREEING.format("facts.update(step=500 * (processes.rank < 2), lr=1)"), count=3)
    assert codes == [2, 2, 2]
    assert errors[1:] == ["", ""]
    host = re.escape(platform.node())
    assert re.match(f"error: process 0 on {host} and process 2 on {host} differ \\(step: 500 and 0\\);", errors[0])
    assert errors[0].count("\n") == 1


def test_a_failure_of_the_run_itself_is_said_once(ended):
    """All processes see the same gradient, so all see that it is not finite."""
    codes, errors = ended("raise RunFailed('diverged')")
    assert (codes, errors) == ([3, 3], ["error: diverged\n", ""])


def test_an_error_that_nobody_foresaw_shows_where_it_is_and_ends_the_others(ended):
    codes, errors = ended(AGREEING.format("if processes.rank == 1: raise IndexError('a mistake')"))
    assert codes == [3, 1]
    assert errors[1].startswith("Traceback")
    assert errors[1].endswith("IndexError: a mistake\n")
    assert re.match(r"error: process 0 on \S+ has lost the others \(", errors[0])
    assert errors[0].count("\n") == 1


@pytest.mark.parametrize("death", ["os.kill(os.getpid(), signal.SIGKILL)", "raise OSError(28, 'disk full', 'a.pth')"])
def test_processes_that_wait_for_one_that_has_gone_end(ended, death):
    """Later than the agreement: in a collective operation of the training."""
    codes, errors = ended(f"""
        processes.greatest(0)
        if processes.rank == 0:
            {death}
        model = processes.parallel(torch.nn.Linear(2, 2))
        model(torch.ones(1, 2)).sum().backward()
    """)
    assert codes in ([-signal.SIGKILL, 3], [2, 3])
    assert errors[0] in ("", "error: a.pth: disk full\n")
    assert re.match(r"error: process 1 on \S+ has lost the others \(.*Connection .* peer.*\): see", errors[1])
    assert errors[1].count("\n") == 1


def test_signals_to_all_while_they_wait_for_each_other(ended):
    codes, errors = ended(
        AGREEING.format("""
        if processes.rank == 0:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    """)
    )
    assert codes == [143, 143]
    assert set(errors) == {"interrupted; run the same command again to go on\n"}


@pytest.mark.parametrize(("count", "sequences", "fit"), [(2, 2, True), (3, 2, False)])
def test_no_process_is_left_without_a_sequence(monkeypatch, count, sequences, fit):
    for name, value in {**GOOD, "WORLD_SIZE": str(count)}.items():
        monkeypatch.setenv(name, value)
    processes = Processes("cpu")
    if fit:
        processes.refuse_idle(sequences)
    else:
        with pytest.raises(InputError, match=r"^3 processes share the 2 sequences of a step"):
            processes.refuse_idle(sequences)
