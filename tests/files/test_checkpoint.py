import hashlib
import io
import json
from pathlib import Path

import pytest
import torch

from pipeline.files import atomic, checkpoint
from pipeline.files.checkpoints.names import KeptStates
from pipeline.stage import InputError
from tests.helpers.checkpoints import state_content, weights_content


def content(step):
    return weights_content(step, {"weight": torch.full((3,), float(step))})


def test_round_trip(tmp_path):
    checkpoint.save(tmp_path / "step_5.pth", content(5))
    loaded = checkpoint.load(tmp_path / "step_5.pth")
    assert loaded["step"] == 5
    assert loaded["model"]["weight"].tolist() == [5.0] * 3


def test_a_changed_file_is_not_trusted(tmp_path):
    path = tmp_path / "step_5.pth"
    checkpoint.save(path, content(5))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="SHA-256"):
        checkpoint.load(path)


def test_arbitrary_objects_are_not_unpickled(tmp_path):
    """A checkpoint is data; one that would run code when loaded is refused, whatever its sidecar says."""
    path = tmp_path / "step_1.pth"
    checkpoint.save(path, {**content(1), "model": pytest.approx})
    with pytest.raises(InputError, match="weights_only"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "sidecar", [None, "", "{", "[]", '{"sha256": "0"}', '{"sha256": 5}', "[" * 100_000, "9" * 5000]
)
def test_a_file_without_its_sidecar_is_not_trusted(tmp_path, sidecar):
    path = tmp_path / "step_5.pth"
    checkpoint.save(path, content(5))
    beside = tmp_path / "step_5.pth.json"
    beside.unlink() if sidecar is None else beside.write_text(sidecar)
    with pytest.raises(InputError):
        checkpoint.load(path)


@pytest.mark.parametrize("data", [b"", b"PK", b"a text", b"\x80\x02."])
def test_bytes_that_are_not_a_checkpoint(tmp_path, data):
    """Their sidecar fits, so that it is the loading that has to refuse them."""
    path = tmp_path / "step_1.pth"
    path.write_bytes(data)
    (tmp_path / "step_1.pth.json").write_text(json.dumps({"sha256": hashlib.sha256(data).hexdigest()}))
    with pytest.raises(InputError, match="is not a checkpoint"):
        checkpoint.load(path)


def test_a_list_is_not_a_checkpoint(tmp_path):
    buffer = io.BytesIO()
    torch.save([1, 2], buffer)
    path = tmp_path / "step_1.pth"
    path.write_bytes(buffer.getvalue())
    (tmp_path / "step_1.pth.json").write_text(json.dumps({"sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}))
    with pytest.raises(InputError, match="not a checkpoint of format"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("format", 2, "not a checkpoint of format 3"),
        ("step", "5", "'step' is of type str, not int"),
        ("step", True, "'step' is of type bool, not int"),
        ("shape", [1], "'shape' is of type list, not dict"),
        ("vocabulary", None, "'vocabulary' is missing"),
        ("seed", 4.0, "'seed' is of type float, not int"),
        ("model", torch.zeros(2), "'model' is of type Tensor, not dict"),
        ("model", {"weight": [1.0]}, "'weight' must be a named tensor"),
        ("model", {5: torch.zeros(2)}, "weight 5 must be a named tensor"),
    ],
)
def test_odd_content_is_named(tmp_path, name, value, said):
    path = tmp_path / "step_5.pth"
    checkpoint.save(path, {**content(5), name: value})
    with pytest.raises(InputError, match=said):
        checkpoint.load(path)


def test_the_newest_whole_state_is_found(tmp_path, capsys):
    for step in (4, 8, 100):
        checkpoint.save_state(tmp_path, state_content(step), KeptStates())
    assert sorted(path.name for path in tmp_path.glob("*.pth")) == ["state_100.pth", "state_8.pth"]
    assert checkpoint.newest_state(tmp_path) == tmp_path / "state_100.pth"
    (tmp_path / "state_100.pth").write_bytes(b"cut short")
    assert checkpoint.load_newest_state(tmp_path)["step"] == 8
    assert "state_100.pth" in capsys.readouterr().out
    checkpoint.save(tmp_path / "state_100.pth", {**state_content(100), "history": 5})
    assert checkpoint.load_newest_state(tmp_path)["step"] == 8
    assert "'history' is of type int, not str" in capsys.readouterr().out


def test_states_to_branch_from_stay(tmp_path):
    for step in range(1, 13):
        checkpoint.save_state(tmp_path, state_content(step), KeptStates(frozenset({2, 11}), every=5))
    assert [step for step, _ in checkpoint.numbered(tmp_path, "state")] == [2, 5, 10, 11, 12]
    assert checkpoint.load_newest_state(tmp_path)["step"] == 12


def test_no_state(tmp_path):
    assert checkpoint.load_newest_state(tmp_path / "absent") is None
    assert checkpoint.newest_state(tmp_path / "absent") is None


def test_rotation_keeps_the_newest(tmp_path):
    for step in (2, 10, 4):
        checkpoint.save(tmp_path / f"step_{step}.pth", content(step))
    checkpoint.rotate(tmp_path, 2, 10)
    assert [step for step, _ in checkpoint.weight_files(tmp_path)] == [4, 10]
    assert not (tmp_path / "step_2.pth.json").exists()


def test_rotation_spares_early_checkpoints_which_do_not_count(tmp_path):
    for step in (0, 1, 2, 3, 5, 7):
        checkpoint.save(tmp_path / f"step_{step}.pth", content(step))
    checkpoint.rotate(tmp_path, 2, 7, spared=(0, 1, 2, 4))
    assert [step for step, _ in checkpoint.weight_files(tmp_path)] == [0, 1, 2, 5, 7]


def test_what_was_just_written_stays_beside_files_of_later_steps(tmp_path):
    """Damaged ones that the run was resumed before, or what another run left; a resumed run has passed them over."""
    for step in (900, 1000):
        for kind in ("state", "step"):
            (tmp_path / f"{kind}_{step}.pth").write_bytes(b"cut short")
    for step in (100, 200, 300):
        checkpoint.save_state(tmp_path, state_content(step), KeptStates())
        assert checkpoint.load_newest_state(tmp_path)["step"] == step
        checkpoint.save(tmp_path / f"step_{step}.pth", content(step))
        checkpoint.rotate(tmp_path, 2, step)
        assert checkpoint.load(tmp_path / f"step_{step}.pth")["step"] == step
    assert sorted(path.name for path in tmp_path.glob("state_*.pth")) == [
        "state_1000.pth", "state_200.pth", "state_300.pth", "state_900.pth",
    ]  # fmt: skip
    assert [step for step, _ in checkpoint.weight_files(tmp_path)] == [200, 300, 900, 1000]


def test_same_content_same_bytes(tmp_path):
    for name in ("a", "b"):
        checkpoint.save(tmp_path / f"{name}.pth", content(3))
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()
    assert json.loads((tmp_path / "a.pth.json").read_text())["step"] == 3


def test_a_sidecar_never_stands_without_its_whole_file(tmp_path, monkeypatch):
    """It is written after the file and removed before it, so that whatever is cut short is not trusted."""
    done = []
    write, remove = atomic.write_bytes, Path.unlink
    monkeypatch.setattr(atomic, "write_bytes", lambda path, data: (done.append(path.name), write(path, data)))
    checkpoint.save(tmp_path / "step_1.pth", content(1))
    assert done == ["step_1.pth", "step_1.pth.json"]
    done.clear()
    monkeypatch.setattr(Path, "unlink", lambda path, **options: (done.append(path.name), remove(path, **options)))
    checkpoint.clear(tmp_path)
    assert done == ["step_1.pth.json", "step_1.pth"]
    assert list(tmp_path.iterdir()) == []
