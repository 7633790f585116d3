"""What stood at the place of a file stays until the new one is complete."""

import os
import stat
import threading
from pathlib import Path

import pytest

from motionscribe_models.new_file import new_file


def test_a_file_comes_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with new_file(path) as beside:
        assert (beside.parent, beside.suffix) == (tmp_path, ".csv")
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def write_half() -> None:
        with new_file(path) as beside:
            beside.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_rights_are_the_usual_ones(tmp_path: Path) -> None:
    target, link, usual = tmp_path / "target", tmp_path / "link", tmp_path / "usual"
    target.write_text("old")
    usual.touch()
    link.symlink_to(target)
    with new_file(link) as beside:
        beside.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with new_file(pipe) as place:
        place.write_text("through")
    reader.join()
    assert read == ["through"]
    assert pipe.is_fifo()
