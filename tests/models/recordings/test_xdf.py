"""XDF: which stream is taken, what its channels are, and when its samples were made."""

import re
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.errors import MissingExtraError, RecordingError
from motionscribe_models.recordings import read_recording

BODY = [f"{joint}_{axis}" for joint in ("head", "hip", "left_foot") for axis in "xyz"]
PLACES = np.random.default_rng(0).normal([0, 0, 1.7, 0, 0, 1, 0, 0, 0], 0.01, (20, 9))


def chunk(tag: int, content: bytes) -> bytes:
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content


def stream(
    number: int, kind: str, channels: Sequence[str], values: np.ndarray, step: float = 0.01, name: str = "suit"
) -> bytes:
    """Chunks of a stream of floats, a time at each sample. A channel is a label, or XML."""
    xml = "".join(c if c.startswith("<") else f"<channel><label>{c}</label></channel>" for c in channels)
    header = (
        f"<info><name>{name}</name><type>{kind}</type><channel_count>{values.shape[1]}</channel_count>"
        f"<nominal_srate>0</nominal_srate><channel_format>float32</channel_format><created_at>1</created_at>"
        f"<desc><channels>{xml}</channels></desc></info>"
    )
    whose = struct.pack("<I", number)
    samples = b"".join(
        b"\x08" + struct.pack("<d", 5 + n * step) + row.astype("<f4").tobytes() for n, row in enumerate(values)
    )
    content = whose + b"\x04" + struct.pack("<I", len(values)) + samples
    return chunk(2, whose + header.encode()) + chunk(3, content) + chunk(6, whose + b"<info></info>")


def write(path: Path, *streams: bytes) -> Path:
    path.write_bytes(b"XDF:" + chunk(1, b"<info><version>1.0</version></info>") + b"".join(streams))
    return path


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "there"),
    [
        ("minimal", "SendDataC (EEG), SendDataString (StringMarker)"),
        ("clock_resets", "MyMarkerStream (Markers), BioSemi (EEG)"),
        ("empty_streams", "test stream 0 counter (data)"),
    ],
)
def test_real_files_without_motion_say_what_they_have(data_dir: Path, file: str, there: str) -> None:
    said = f"expected a stream of type MoCap with numbers, got .*{re.escape(there)}"
    with pytest.raises(RecordingError, match=said):
        read_recording(data_dir / "xdf" / f"{file}.xdf")


def test_places_by_labels(tmp_path: Path) -> None:
    other = stream(1, "EEG", ["Cz"], np.zeros((5, 1)))
    recording = read_recording(write(tmp_path / "a.xdf", other, stream(2, "MoCap", BODY, PLACES)))
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.representation) == (("head", "hip", "left_foot"), "positions")
    assert (skeleton.units, skeleton.up_axis) == ("m", "z")
    assert skeleton.rate_hz == pytest.approx(100)
    assert recording.timestamps_us[:3].tolist() == [5_000_000, 5_010_000, 5_020_000]
    np.testing.assert_allclose(recording.frames, PLACES, rtol=1e-6)
    assert recording.notes[-1] == "stream: suit"
    assert read_recording(tmp_path / "a.xdf", 50.0).timestamps_us[1] == 20_000


def test_places_by_markers_types_and_units(tmp_path: Path) -> None:
    kinds = ("PositionX", "PositionY", "PositionZ", "Confidence")
    units = ("millimeters",) * 3 + ("normalized",)
    channels = [
        f"<channel><label>{m}{k}</label><marker>{m}</marker><type>{k}</type><unit>{u}</unit></channel>"
        for m in ("LASI", "RASI", "SACR")
        for k, u in zip(kinds, units, strict=True)
    ]
    values = np.random.default_rng(1).uniform(0.5, 1, (20, 12))
    recording = read_recording(write(tmp_path / "a.xdf", stream(1, "Mocap", channels, values)))
    assert recording.skeleton.joints == ("LASI", "RASI", "SACR")
    assert (recording.skeleton.units, recording.skeleton.metres_per_unit) == ("mm", 0.001)
    assert recording.confidences is not None
    np.testing.assert_allclose(recording.confidences, values[:, 3::4], rtol=1e-6)


def test_other_channels_may_stand_beside_those_of_markers(tmp_path: Path) -> None:
    kinds = ["OrientationA", "PositionX", "PositionY", "PositionZ"]
    channels = [
        f"<channel><label>{n}</label><object>{m}</object><type>{k}</type><unit>m</unit></channel>"
        for m in ("head", "hip", "left_foot")
        for n, k in enumerate(kinds)
    ]
    values = np.insert(PLACES, [0, 3, 6], 0.5, axis=1)
    recording = read_recording(write(tmp_path / "a.xdf", stream(1, "MoCap", channels, values)))
    assert recording.skeleton.joints == ("head", "hip", "left_foot")
    np.testing.assert_allclose(recording.frames, PLACES, rtol=1e-6)
    assert "3 channels left out, which are no places of joints" in recording.notes


@pytest.mark.parametrize(
    ("channels", "names"),
    [(["angle", "torque", "load"], ("angle", "torque", "load")), ([], ("channel 1", "channel 2", "channel 3"))],
)
def test_other_channels_are_features(tmp_path: Path, channels: list[str], names: tuple[str, ...]) -> None:
    recording = read_recording(write(tmp_path / "a.xdf", stream(1, "MoCap", channels, PLACES[:, :3])))
    assert (recording.skeleton.representation, recording.skeleton.joints) == ("features", names)


@pytest.mark.parametrize(
    ("streams", "said"),
    [
        ([], "expected a stream of type MoCap with numbers, got none"),
        ([stream(1, "MoCap", BODY, PLACES[:1])], "expected two samples or more with times, got 1 in the stream suit"),
        ([stream(1, "MoCap", BODY, PLACES[:0])], "expected two samples or more with times, got 0 in the stream suit"),
        ([stream(1, "MoCap", BODY, PLACES, step=0.0)], "expected times to increase, got none that do"),
        ([stream(1, "MoCap", [], PLACES * np.inf)], "expected finite numbers, got -?inf in frame 1"),
        ([chunk(2, b"\1\0\0\0<info><name>")], "expected an XDF file, got"),
        ([chunk(2, b"\1\0\0\0<info></info>")], "expected an XDF file, got"),
    ],
)
def test_a_file_without_such_a_stream_is_refused(tmp_path: Path, streams: list[bytes], said: str) -> None:
    with pytest.raises(RecordingError, match=rf"a.*{said}"):
        read_recording(write(tmp_path / "a.xdf", *streams))


def test_xdf_without_pyxdf_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.xdf").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "pyxdf", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[xdf\]"'):
        read_recording(tmp_path / "a.xdf")
