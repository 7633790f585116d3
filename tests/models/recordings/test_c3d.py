"""C3D files: places as ezc3d reads them, of every processor and both kinds of numbers."""

import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import ezc3d
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording

INTEL, DEC, MIPS = 84, 85, 86


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "frames", "joints", "rate", "units", "up", "why"),
    [
        ("FP_Type1", 634, 22, 100.0, "m", "y", "Y_SCREEN +Y"),
        ("Qualisys", 340, 55, 200.0, "mm", "z", "Y_SCREEN -Z"),
        ("Vicon", 580, 51, 100.0, "mm", "z", "Y_SCREEN +Z"),
    ],
)
def test_real_files_are_read_as_another_program_does(
    data_dir: Path, name: str, frames: int, joints: int, rate: float, units: str, up: str, why: str
) -> None:
    path = data_dir / "c3d" / f"{name}.c3d"
    recording, other = read_recording(path), ezc3d.c3d(str(path))
    assert recording.frames.shape == (frames, 3 * joints)
    points = other["data"]["points"][:3].transpose(2, 1, 0).astype(np.float32)
    assert np.array_equal(recording.frames, points.reshape(frames, -1), equal_nan=True)
    skeleton = recording.skeleton
    assert list(skeleton.joints) == other["parameters"]["POINT"]["LABELS"]["value"]
    assert (skeleton.rate_hz, skeleton.units, skeleton.up_axis) == (rate, units, up)
    assert recording.notes == (f"up axis: {up}, by {why}",)
    assert np.isnan(recording.frames).any() == (name == "Vicon")


Value = str | Sequence[str] | Sequence[float]


def c3d(
    places: NDArray[np.floating],
    labels: Sequence[str],
    processor: int = INTEL,
    scale: float = -1.0,
    lost: Sequence[tuple[int, int]] = (),
    analog: int = 2,
    **more: Value,
) -> bytes:
    """A file as the format's manual has it. `more` are parameters of POINT; `GROUP__NAME` are of others."""
    order = ">" if processor == MIPS else "<"

    def floats(values: NDArray[np.floating]) -> bytes:
        if processor != DEC:
            return values.astype(f"{order}f4").tobytes()
        return b"".join(
            raw[2:] + raw[:2] for raw in (struct.pack("<f", 4 * value) for value in values.ravel().tolist())
        )

    def record(name: str, group: int, value: bytes) -> bytes:
        return struct.pack("2b", len(name), group) + name.encode() + struct.pack(f"{order}H", 2 + len(value)) + value

    def encoded(value: Value) -> bytes:
        texts = [value] if isinstance(value, str) else value
        if texts and isinstance(texts[0], str):
            length = max(len(str(text)) for text in texts)
            shape = bytes([length]) if isinstance(value, str) else bytes([length, len(texts)])
            return (
                bytes([255, len(shape)]) + shape + "".join(str(text).ljust(length) for text in texts).encode() + b"\0"
            )
        if isinstance(texts[0], int):
            return bytes([2, 1, len(texts)]) + np.array(texts).astype(f"{order}i2").tobytes() + b"\0"
        return bytes([4, 1, len(texts)]) + floats(np.array(texts, np.float64)) + b"\0"

    frames, points = places.shape[:2]
    usual: Mapping[str, Value] = {"USED": [points], "FRAMES": [frames], "SCALE": [scale], "UNITS": "mm", "RATE": [50.0]}
    values = {
        n if "__" in n else f"POINT__{n}": value for n, value in {**usual, "LABELS": labels, **more}.items() if value
    }
    groups = ["POINT", "TRIAL"]
    section = b"\0\0\0" + bytes([processor]) + b"".join(record(name, -1 - n, b"\0") for n, name in enumerate(groups))
    for name, value in values.items():
        section += record(name.split("__")[1], 1 + groups.index(name.split("__")[0]), encoded(value))
    blocks = 1 + len(section) // 512
    section = (section[:2] + bytes([blocks]) + section[3:]).ljust(blocks * 512, b"\0")
    header = b"\2\x50" + struct.pack(f"{order}5H", points, analog, 1, frames, 0)
    header += floats(np.array([scale])) + struct.pack(f"{order}2H", 2 + blocks, 1) + floats(np.array([60.0]))
    data = b""
    for n, frame in enumerate(places):
        residuals = [-1.0 if (n, point) in lost else 0.0 for point in range(points)]
        numbers = np.concatenate(
            [np.column_stack([frame / (scale if scale > 0 else 1), residuals]).ravel(), np.full(analog, 7.0)]
        )
        data += floats(numbers) if scale < 0 else np.rint(numbers).astype(f"{order}i2").tobytes()
    return header.ljust(512, b"\0") + section + data


PLACES = np.arange(18).reshape(3, 2, 3) - 5.0


def written(folder: Path, content: bytes) -> Path:
    (folder / "a.c3d").write_bytes(content)
    return folder / "a.c3d"


@pytest.mark.parametrize("processor", [INTEL, DEC, MIPS])
@pytest.mark.parametrize("scale", [-1.0, 0.5])
def test_numbers_of_every_kind(tmp_path: Path, processor: int, scale: float) -> None:
    recording = read_recording(written(tmp_path, c3d(PLACES, ("LANK", "HEAD"), processor, scale, lost=[(1, 0)])))
    expected = PLACES.copy()
    expected[1, 0] = np.nan
    assert np.array_equal(recording.frames.reshape(3, 2, 3), expected, equal_nan=True)
    assert recording.skeleton.joints == ("LANK", "HEAD")
    assert recording.skeleton.rate_hz == 50.0
    assert recording.timestamps_us.tolist() == [0, 20_000, 40_000]


def test_what_the_test_writes_another_program_reads(tmp_path: Path) -> None:
    other = ezc3d.c3d(str(written(tmp_path, c3d(PLACES, ("LANK", "HEAD"), analog=0))))
    assert np.array_equal(other["data"]["points"][:3].transpose(2, 1, 0), PLACES)


@given(
    places=arrays(
        np.float32, st.tuples(st.integers(1, 5), st.integers(1, 4), st.just(3)), elements=st.floats(-1e4, 1e4, width=32)
    )
)
def test_what_another_program_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, places: NDArray[np.float32]
) -> None:
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [25.0]
    file["parameters"]["POINT"]["UNITS"]["value"] = ["m"]
    file["parameters"]["POINT"]["LABELS"]["value"] = [f"p{n}" for n in range(places.shape[1])]
    file["data"]["points"] = np.concatenate([places.transpose(2, 1, 0), np.ones((1, *places.shape[1::-1]))]).astype(
        float
    )
    path = tmp_path_factory.mktemp("c3d") / "a.c3d"
    file.write(str(path))
    recording = read_recording(path)
    assert np.array_equal(recording.frames, places.reshape(len(places), -1))
    assert (recording.skeleton.rate_hz, recording.skeleton.units) == (25.0, "m")


def test_points_that_are_no_labelled_places_are_left_out_and_said(tmp_path: Path) -> None:
    places = np.arange(30).reshape(2, 5, 3) * 1.0
    content = c3d(places, ("a", "*12", "KneeAngle", "b"), ANGLES=["KneeAngle"], Y_SCREEN="+Y")
    recording = read_recording(written(tmp_path, content))
    assert recording.skeleton.joints == ("a", "b")
    assert np.array_equal(recording.frames, places[:, [0, 3]].reshape(2, 6))
    assert recording.notes == (
        "up axis: y, by Y_SCREEN +Y",
        "2 points without a label left out",
        "points that are no places left out: KneeAngle",
    )


@pytest.mark.parametrize(
    ("labels", "screen", "sign", "up"),
    [
        (("a", "b"), "+Y", 1, "y"),
        (("a", "b"), "-Z", 1, "z"),
        (("a", "b"), "-Z", -1, "-z"),
        (("a", "b"), "", 1, "z"),
        (("RANK", "head"), "", 1, "x"),
        (("RANK", "head"), "", -1, "-x"),
    ],
)
def test_which_axis_is_up(tmp_path: Path, labels: tuple[str, str], screen: str, sign: int, up: str) -> None:
    places = sign * np.array([[[1.0, 2, 3], [1700, 2, 3]]])
    assert read_recording(written(tmp_path, c3d(places, labels, Y_SCREEN=screen))).skeleton.up_axis == up


def test_rate_units_and_more_than_255_labels(tmp_path: Path) -> None:
    names = [f"p{n}" for n in range(300)]
    content = c3d(np.ones((1, 300, 3)), names[:255], LABELS2=names[255:], UNITS="", RATE=())
    recording = read_recording(written(tmp_path, content))
    assert recording.skeleton.joints == tuple(names)
    assert recording.skeleton.rate_hz == 60.0
    assert recording.notes[1] == "units: mm, which is usual; the file names none"
    assert read_recording(tmp_path / "a.c3d", rate_hz=10.0).skeleton.rate_hz == 10.0


@pytest.mark.parametrize(
    "more",
    [
        {"LONG_FRAMES": [70_000.0]},
        {"TRIAL__ACTUAL_START_FIELD": [1.0, 0.0], "TRIAL__ACTUAL_END_FIELD": [70_000.0 - 65_536, 1.0]},
    ],
)
def test_more_frames_than_the_header_can_count(tmp_path: Path, more: dict[str, list[float]]) -> None:
    content = c3d(np.ones((1, 1, 3)), ("a",), scale=1.0, **more)  # type: ignore[arg-type]  # all are parameters
    long = content + 69_999 * content[-12:]
    recording = read_recording(written(tmp_path, long))
    assert recording.frames.shape == (70_000, 3)
    assert (recording.frames == 1).all()


WHOLE = c3d(PLACES, ("a", "b"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a.c3d: expected a C3D file"),
        (WHOLE[:600], "a.c3d: expected whole parameters, got 88 bytes of them"),
        (WHOLE[:-1], "a.c3d: expected 3 frames of 40 bytes from byte 1024, got 1143 bytes"),
        (
            WHOLE[:512] + b"\0\0\1\7" + WHOLE[516:],
            r"a.c3d: expected numbers of an Intel, DEC or MIPS processor .* got 7",
        ),
        (c3d(PLACES[:, :0], ()), "a.c3d: expected points with labels, got 0 points"),
        (c3d(PLACES, ("*1", "*2")), "a.c3d: expected points with labels, got 2 points, of which none has one"),
        (c3d(PLACES, ("a", "a")), "a.c3d: expected a name of its own for each joint, got 'a'"),
        (c3d(PLACES, ("a", "b"), UNITS="yard"), "a.c3d: POINT:UNITS: expected units of .*, got 'yard'"),
        (c3d(PLACES, ("a", "b"), RATE=[-5.0]), "a.c3d: expected a rate above 0 Hz"),
        (c3d(PLACES, ("a", "b"), LONG_FRAMES=[4.0]), "a.c3d: expected 4 frames of 40 bytes"),
        (c3d(np.full((1, 2, 3), -np.inf), ("a", "b")), "expected finite numbers, got -inf in frame 1"),
        (WHOLE.replace(b"mm\0", b"m\7\0"), "UNITS: expected a text file, got the character 7"),
        (WHOLE.replace(b"UNITS\x08\0\xff", b"UNITS\x08\0\x03"), "UNITS: expected text or numbers of 1, 2 or 4 bytes"),
        (WHOLE.replace(b"UNITS\x08\0", b"UNITS\x03\0"), "a.c3d: expected 7 bytes of parameter UNITS, got 3"),
        (
            WHOLE.replace(b"UNITS\x08\0\xff\x01\x02m", b"UNITS\x08\0\x04\x02\xff\xff"),
            "UNITS: expected .* bytes, got",
        ),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read_recording(written(tmp_path, content))


@given(at=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(WHOLE)))
def test_any_damage_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, cut: int) -> None:
    damaged = WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 : max(at + 1, cut)]
    path = written(tmp_path_factory.mktemp("c3d"), damaged)
    with suppress(RecordingError):
        assert read_recording(path).frames.shape[1] > 0
