"""The project's own file: what is written is read back, and damage is refused."""

import io
import json
import math
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.support.tiny_recording import tiny

from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import CMU_EXPMAP, Recording, even_times, read_recording, write_recording
from motionscribe_models.recordings.npz import append_take, read_take
from motionscribe_models.recordings.take import Take, joined
from motionscribe_models.skeleton import feature_skeleton


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


# -- what came of a live feed

PLACES = replace(BODY, name="three", joints=("a", "b"), parents=(-1, 0), representation="positions")
TIMES = [5_000_000, 5_016_000, 5_016_000, 5_010_000, 5_033_000, 5_050_000]


def take(times: Sequence[int] = TIMES) -> Take:
    frames = np.arange(6 * len(times), dtype=np.float32).reshape(-1, 6)
    frames[1, 3:] = np.nan
    arrived = 10**15 + np.arange(len(times)) * 16_000
    sure = np.full((len(times), 2), 0.5, np.float32)
    return Take("gym", frames, np.array(times, np.int64), arrived, PLACES, "vmc", sure)


def assert_same(one: Take, other: Take) -> None:
    assert (one.name, one.skeleton, one.feed) == (other.name, other.skeleton, other.feed)
    for name in ("frames", "times_us", "arrived_us", "confidences"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_what_came_is_read_back_in_pieces_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "gym.npz"
    for pieces in range(12):  # frames.10 comes after frames.9
        append_take(take(), path, pieces)
        back = read_take(path)
        assert back is not None
        assert_same(back, joined([take()] * (pieces + 1)))
    assert list(tmp_path.iterdir()) == [path]


def test_what_came_is_a_recording_whose_times_increase(tmp_path: Path) -> None:
    path = tmp_path / "gym.npz"
    append_take(take(), path, 0)
    recording = read_recording(path)
    assert recording.timestamps_us.tolist() == [5_000_000, 5_016_000, 5_033_000, 5_050_000]
    np.testing.assert_array_equal(recording.frames, take().frames[[0, 1, 4, 5]])
    assert recording.confidences is not None
    assert recording.confidences.shape == (4, 2)
    assert recording.notes == ("2 of 6 frames left out, whose times do not increase",)
    at_10_hz = read_recording(path, 10.0)
    assert (at_10_hz.timestamps_us.tolist(), at_10_hz.skeleton.rate_hz) == ([0, 100_000, 200_000, 300_000], 10.0)


def test_a_clock_that_was_set_back_loses_no_frame_of_what_came(tmp_path: Path) -> None:
    path = tmp_path / "gym.npz"
    times = [n * 33_333 for n in range(30, 60)] + [n * 33_333 for n in range(30)]
    append_take(take(times), path, 0)
    recording = read_recording(path)
    assert len(recording.frames) == 60
    assert "clock went back by 1.9" in recording.notes[0]


def test_infinity_is_a_joint_that_was_not_seen_and_no_rotation() -> None:
    seen = take()
    seen.frames[2, 0] = np.inf
    assert np.isnan(seen.numbered().frames[2, 0])
    turned = replace(take(), skeleton=feature_skeleton("six", tuple("abcdef"), 60.0), confidences=None)
    assert [len(turned.in_order().frames), turned.numbered().frames[1, 3]] == [4, 0]
    assert turned.in_order().notes[0] == "1 of 6 frames left out, which are no numbers"


@given(
    arrived=st.lists(st.integers(0, 3), min_size=1, max_size=20),
    times=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=20, max_size=20),
)
def test_any_take_has_all_its_frames_and_a_recording_or_none(arrived: list[int], times: list[int]) -> None:
    count = len(arrived)
    frames = np.zeros((count, 6), np.float32)
    one = Take("any", frames, np.array(times[:count], np.int64), np.cumsum(arrived, dtype=np.int64), PLACES)
    assert len(one.numbered().frames) == count
    with suppress(RecordingError):
        assert np.all(np.diff(one.in_order().timestamps_us) > 0)


def test_another_recording_is_no_take_and_a_take_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_recording(tiny(), tmp_path / "a.npz")
    assert read_take(tmp_path / "a.npz") is None
    with pytest.raises(RecordingError, match="expected arrivals of shape"):
        replace(take(), arrived_us=np.zeros(2, np.int64))


HOSTILE = {
    "frames of no dimension": {"frames": np.float32(3)},
    "lists without an end": {"skeleton": np.array("[" * 200_000)},
    "a parent beyond all": {"skeleton": np.array(json.dumps({**BODY.to_json(), "parents": [math.inf] * 15}))},
    "a rate beyond all": {"skeleton": np.array(json.dumps({**BODY.to_json(), "rate_hz": 10**400}))},
    "a joint that is no UTF-8": {
        "skeleton": np.array(json.dumps({**BODY.to_json(), "joints": ["\ud800", *BODY.joints[1:]]}))
    },
}


@pytest.mark.parametrize("arrays", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("as_take", [True, False])
def test_hostile_arrays_are_refused(arrays: dict[str, np.ndarray], as_take: bool, tmp_path: Path) -> None:
    whole = {
        "frames": np.zeros((1, BODY.width), np.float32),
        "skeleton": np.array(json.dumps(BODY.to_json())),
        "timestamps_us": np.zeros(1, np.int64),
    }
    arrived = {"arrived_us": np.zeros(1, np.int64)} if as_take else {}
    np.savez(tmp_path / "a.npz", allow_pickle=False, **whole, **arrived)
    assert len(read_recording(tmp_path / "a.npz").frames) == 1
    np.savez(tmp_path / "a.npz", allow_pickle=False, **whole | arrived | arrays)
    with pytest.raises(RecordingError, match=r"a\.npz: expected "):
        read_take(tmp_path / "a.npz") if as_take else read_recording(tmp_path / "a.npz")


def test_a_header_that_promises_more_than_there_is_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**40, 3)})
    path = tmp_path / "a.npz"
    np.savez(path, skeleton=np.array(json.dumps(BODY.to_json())), timestamps_us=np.zeros(1, np.int64))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("frames.npy", header.getvalue() + bytes(100))
    with pytest.raises(RecordingError, match="frames, of which 13194139533312 bytes are promised and 228 are there"):
        read_recording(path)
