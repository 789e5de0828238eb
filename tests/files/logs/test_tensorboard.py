"""TensorBoard's event files, written by torch as a trainer would, and folders of them."""

import pytest
from torch.utils.tensorboard import SummaryWriter

from pipeline.files.logs import tensorboard
from pipeline.files.logs.read_log import modified, read_log
from pipeline.stage import InputError

STEPS = list(range(10, 101, 10))


def write_events(folder, scalars, *, new_style=False, **options):
    """Scalars: (step, value) by tag. The new style writes them as tensors, as TensorFlow does."""
    with SummaryWriter(str(folder), **options) as writer:
        for tag, points in scalars.items():
            for step, value in points:
                writer.add_scalar(tag, value, step, new_style=new_style)


def test_an_event_file_is_a_log_of_its_tags(tmp_path):
    write_events(
        tmp_path,
        {
            "train/loss": [(step, 5.0 - step / 32) for step in STEPS],
            "eval/accuracy": [(step, step / 128) for step in STEPS[4::5]],
        },
    )
    [file] = tmp_path.iterdir()
    for history in (read_log(file), read_log(tmp_path)):
        assert (history.loss, history.held_out, history.accuracy) == ("train/loss", "eval/accuracy", None)
        assert history.steps == STEPS
        assert history.records["train/loss"] == [5.0 - step / 32 for step in STEPS]
        assert history.points("eval/accuracy")[1].tolist() == [50 / 128, 100 / 128]
        assert None not in history.records["seconds"]
        assert "read as TensorBoard event files: " in history.notes[0].say()


def test_a_subfolder_is_the_part_of_the_data(tmp_path):
    for part, height in (("train", 4.0), ("validation", 8.0)):
        write_events(tmp_path / part, {"epoch_loss": [(step, height) for step in STEPS]}, new_style=True)
    history = read_log(tmp_path)
    assert (history.loss, history.held_out_loss) == ("train/epoch_loss", "validation/epoch_loss")
    assert set(history.records["train/epoch_loss"]) == {4.0}
    assert set(history.records["validation/epoch_loss"]) == {8.0}


def test_a_run_that_was_resumed_goes_on_from_where_it_was(tmp_path):
    write_events(tmp_path, {"loss": [(step, 9.0) for step in STEPS]})
    write_events(tmp_path, {"loss": [(step, 1.0) for step in (50, 60)]}, purge_step=50, filename_suffix=".again")
    history = read_log(tmp_path)
    assert list(zip(history.steps, history.records["loss"], strict=True)) == [
        (10, 9.0), (20, 9.0), (30, 9.0), (40, 9.0), (50, 1.0), (60, 1.0),
    ]  # fmt: skip


def test_without_the_package_one_line_says_what_to_install(tmp_path, monkeypatch):
    write_events(tmp_path, {"loss": [(1, 1.0)]})
    monkeypatch.setattr(tensorboard, "PACKAGE", "package_that_nobody_has")
    with pytest.raises(InputError, match=r"pip install package_that_nobody_has, or export"):
        read_log(tmp_path)


def test_a_folder_or_file_without_events_is_refused(tmp_path):
    with pytest.raises(InputError, match="folder without TensorBoard's event files or exported tables"):
        read_log(tmp_path)
    (tmp_path / "events.out.tfevents.1").write_bytes(b"\x00" * 40)
    with pytest.raises(InputError, match="the history is still empty"):
        read_log(tmp_path)


def test_a_folder_was_written_when_its_newest_file_was(tmp_path):
    write_events(tmp_path, {"loss": [(1, 1.0)]})
    [file] = tmp_path.iterdir()
    assert modified(tmp_path) == modified(file) == file.stat().st_mtime
