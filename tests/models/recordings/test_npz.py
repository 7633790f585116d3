"""The project's own file: what is written is read back, and damage is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.support.tiny_recording import tiny

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import CMU_EXPMAP, Recording, even_times, read_recording, write_recording


@given(
    frames=hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(96)), elements=st.floats(-1e6, 1e6, width=32)),
    rate=st.floats(1.0, 500.0),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, frames: np.ndarray, rate: float
) -> None:
    path = tmp_path_factory.mktemp("npz") / "walk.npz"
    skeleton = replace(CMU_EXPMAP, rate_hz=rate)
    write_recording(Recording("x", frames, even_times(len(frames), rate) + 17, skeleton), path)
    back = read_recording(path)
    assert back.name == "walk"
    assert back.skeleton == skeleton
    assert np.array_equal(back.frames, frames)
    assert np.array_equal(back.timestamps_us, even_times(len(frames), rate) + 17)


def test_a_foreign_npz_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=np.zeros(3))
    with pytest.raises(RecordingError, match="expected the arrays frames, skeleton, timestamps_us, got frames"):
        read_recording(tmp_path / "a.npz")
    pickled = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "b.npz", frames=pickled, skeleton="{}", timestamps_us=np.zeros(1, np.int64))
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "b.npz")
    np.savez(
        tmp_path / "c.npz", frames=np.zeros((1, 3), np.float32), skeleton="[]", timestamps_us=np.zeros(1, np.int64)
    )
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "c.npz")
    (tmp_path / "d.npz").write_bytes(b"not a zip file")
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "d.npz")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_truncated_npz_is_refused(tmp_path: Path, share: float) -> None:
    write_recording(tiny(200), tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "a.npz")


@pytest.mark.parametrize("position", [0.2, 0.4, 0.6])
def test_a_damaged_npz_is_refused(tmp_path: Path, position: float) -> None:
    write_recording(tiny(200), tmp_path / "a.npz")
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[int(len(content) * position)] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "a.npz")
