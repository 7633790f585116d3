"""What a recording is, and the one door for all kinds of files."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.recordings.test_acclaim import SMALL_AMC, small_asf
from tests.support.tiny_recording import tiny

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import endings, even_times, read_recording, write_recording
from motionscribe_models.recordings.reading import readers_of


def test_even_times_round_each_for_itself() -> None:
    times = even_times(120 * 3600 + 1, 120.0)
    assert times[1] == 8333
    assert times[3] == 25000
    assert times[-1] == 3600 * 1_000_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frames": np.zeros((5, 95), np.float32)}, "96 columns"),
        ({"frames": np.zeros((5, 96))}, "float32"),
        ({"frames": np.zeros((0, 96), np.float32), "timestamps_us": np.zeros(0, np.int64)}, "got none"),
        ({"timestamps_us": np.arange(4)}, "5 int64 times"),
        ({"timestamps_us": np.array([0, 1, 2, 2, 3])}, "frame 4 after 2 us"),
    ],
)
def test_recording_refuses_what_contradicts_itself(change: dict[str, object], said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        replace(tiny(), **change)  # type: ignore[arg-type]  # each value fits its own field


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_recording_says_where_it_is_not_finite(bad: float) -> None:
    frames = tiny().frames.copy()
    frames[2, 4] = bad
    with pytest.raises(RecordingError, match=r"frame 3, column root\.ey"):
        replace(tiny(), frames=frames)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("walk.xyz", re.escape(f"expected a file ending in {', '.join(endings())}, got .xyz")),
        ("walk", "got no ending"),
        ("absent.amc", "expected a file, found none"),
    ],
)
def test_the_door_names_what_it_knows(tmp_path: Path, name: str, said: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / name)


@pytest.mark.parametrize("suffix", endings())
@given(content=st.binary(max_size=300))
def test_noise_is_no_recording(tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / f"noise{suffix}"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="noise"):
        read_recording(path)


CELLS = st.text(st.sampled_from('time_ms,;\t#"0123456789.-+eE:T sp='), max_size=30)
CSV = st.lists(st.one_of(CELLS, st.sampled_from(["time,a", ",a", "0,1", "1,2", "3.5;2,5", "a;b"])), max_size=6)
AMC_LINES = [*SMALL_AMC.splitlines(), ":RADIANS", "7", "# a comment", "", "arm", "arm x", "arm 4 5"]
ASF = small_asf().splitlines()


@given(lines=CSV, end=st.sampled_from(["\n", "\r\n"]), rate=st.sampled_from([None, 30.0]))
def test_any_table_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, rate: float | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(end.join(lines).encode())
    with suppress(RecordingError):
        read_recording(path, rate)


@given(amc=st.lists(st.sampled_from(AMC_LINES), max_size=12), drop=st.sets(st.integers(0, len(ASF) - 1), max_size=3))
def test_any_motion_with_any_skeleton_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, amc: list[str], drop: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.asf").write_text("\n".join(line for n, line in enumerate(ASF) if n not in drop))
    (folder / "a_1.amc").write_text(SMALL_AMC + "\n".join(amc))
    with suppress(RecordingError):
        read_recording(folder / "a_1.amc")


KEYS = [
    "people",
    "pose_keypoints_2d",
    "person_id",
    "annotations",
    "images",
    "categories",
    "keypoints",
    "image_id",
    "id",
]
KEYS += [
    "frames",
    "worldLandmarks",
    "landmarks",
    "landmark",
    "x",
    "y",
    "z",
    "visibility",
    "time",
    "frame_id",
    "track_id",
]
LEAVES = st.sampled_from([None, True, 0, 1, 2, -1, 0.5, 1e300, float("nan"), float("inf"), 10**30, "", "1", "a1.jpg"])
VALUES = st.one_of(LEAVES, st.lists(st.sampled_from([0, 0.5, 1]), min_size=51, max_size=54).map(lambda v: v[:51]))
JSON = st.recursive(
    VALUES | st.just([{"x": 0.5, "y": 0.5, "z": 0, "visibility": 1}] * 33) | st.just([0.5] * 75),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(content=JSON, rate=st.sampled_from([None, 30.0]))
def test_any_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: object, rate: float | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "any_1.json"
    path.write_text(json.dumps(content))
    for reader in readers_of(path):  # whichever it looks like
        with suppress(RecordingError):
            reader.read(path, rate)


NAMES = st.builds("{}{}{}".format, st.sampled_from("abc"), st.sampled_from(["_", ".", ""]), st.sampled_from("xyzcv"))
CELLS_OF_JOINTS = st.sampled_from(["", "nan", "1", "0", "-2.5", "1e300", "1e39", "x", "inf"])


@given(names=st.lists(NAMES, min_size=6, max_size=12, unique=True), data=st.data())
def test_any_table_of_joints_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.lists(CELLS_OF_JOINTS, min_size=len(names), max_size=len(names)), max_size=3))
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_text("\n".join(",".join(row) for row in [names, *rows]))
    with suppress(RecordingError):
        read_recording(path, 30.0)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: float) -> None:
    write_recording(tiny(), tmp_path / "a.npz")
    with pytest.raises(RecordingError, match="expected a rate above 0 Hz"):
        read_recording(tmp_path / "a.npz", rate_hz=rate)
