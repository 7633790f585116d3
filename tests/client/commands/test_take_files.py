"""Files of a recording that cannot be written, or that others have taken: what came is kept, or said to be lost."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from motionscribe.commands import take_files
from motionscribe.commands.take_files import TakeFiles
from motionscribe.errors import BadFile
from motionscribe.sources.takes import Part
from motionscribe_models.recordings.npz import read_take
from motionscribe_models.recordings.take import Take
from motionscribe_models.skeleton import Skeleton

SKELETON = Skeleton("two", ("hip", "knee"), (-1, 0), "positions", "m", 1.0, "y", 100.0)
A, B = Part("a", 0), Part("b", 0)


def take(count: int) -> Take:
    times = np.arange(count, dtype=np.int64) * 10_000
    return Take("t", np.zeros((count, 6), np.float32), times, times, SKELETON)


def frames_in(path: Path) -> int:
    found = read_take(path)
    return len(found.frames) if found else 0


def test_a_file_that_cannot_be_written_is_told_once_holds_up_nobody_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = TakeFiles(tmp_path / "gym.npz", several=True)
    first, second = tmp_path / "gym-a.npz", tmp_path / "gym-b.npz"
    files.add({A: take(3), B: take(4)})
    files.write()
    first.unlink()
    first.mkdir()  # in its place is what cannot be copied
    for _ in range(2):
        files.add({A: take(1), B: take(2)})
        files.write()
    assert frames_in(second) == 8
    (record,) = caplog.records
    assert str(first) in record.getMessage()
    with pytest.raises(BadFile, match=r"gym-a.npz: 2 frames are lost: "):
        files.check()
    first.rmdir()
    files.write()  # what it held is gone with it
    assert frames_in(first) == 2
    with pytest.raises(BadFile, match=r"gym-a.npz: 3 frames are lost: the file was removed"):
        files.check()


def test_a_folder_that_comes_back_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    files = TakeFiles(folder / "gym.npz", several=False)
    folder.rmdir()
    files.add({Part("", 0): take(3)})
    files.write()
    folder.mkdir()
    files.write()
    files.check()
    assert (files.frames, frames_in(folder / "gym.npz")) == ({folder / "gym.npz": 3}, 3)
    shutil.rmtree(folder)


def test_frames_that_wait_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_files, "MOST_WAITING", 100)
    (tmp_path / "folder").mkdir()
    files = TakeFiles(tmp_path / "folder" / "gym.npz", several=False)
    (tmp_path / "folder").rmdir()
    for count in (3, 4, 5):
        files.add({Part("", 0): take(count)})
        files.write()
    with pytest.raises(BadFile, match="12 frames are lost"):
        files.check()
    (tmp_path / "folder").mkdir()
    files.write()
    with pytest.raises(BadFile, match="9 frames are lost: No such file"):
        files.check()


def test_each_has_a_file_of_their_own_and_none_is_overwritten(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = TakeFiles(tmp_path / "gym.npz", several=True)
    (tmp_path / "gym-b.npz").write_bytes(b"another program's")
    files.add({A: take(1), Part("a-skeleton-2", 0): take(2), Part("a", 1): take(3), B: take(4)})
    files.write()
    files.check()
    names = {"gym-a": 1, "gym-a-skeleton-2": 2, "gym-a-skeleton-2-2": 3, "gym-b-2": 4}
    assert files.frames == {tmp_path / f"{name}.npz": count for name, count in names.items()}
    assert (tmp_path / "gym-b.npz").read_bytes() == b"another program's"
    assert "gym-b.npz: it exists: written as gym-b-2.npz" in caplog.text
