"""Tables of features at their own times."""

from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording


@pytest.mark.data
def test_skab_becomes_features_at_its_own_times(data_dir: Path) -> None:
    recording = read_recording(data_dir / "skab" / "valve1" / "2.csv")
    assert recording.skeleton.representation == "features"
    assert recording.skeleton.joints[0] == "Accelerometer1RMS"
    assert len(recording.skeleton.joints) == 8
    assert recording.skeleton.rate_hz == 1.0
    assert np.diff(recording.timestamps_us).max() == 76_000_000  # the set has a hole there
    assert recording.frames[0, -1] == np.float32(31.001)
    faster = read_recording(data_dir / "skab" / "valve1" / "2.csv", rate_hz=2.0)
    assert np.all(np.diff(faster.timestamps_us) == 500_000)
    assert np.array_equal(faster.frames, recording.frames)


def test_features_know_seconds_and_time_zones(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Timestamp,a,b\n0.5,1,2\n0.75,3,4\n1,5,6\n")
    recording = read_recording(tmp_path / "a.csv")
    assert recording.timestamps_us.tolist() == [500_000, 750_000, 1_000_000]
    assert recording.skeleton.rate_hz == 4.0
    assert recording.frames.tolist() == [[1, 2], [3, 4], [5, 6]]
    (tmp_path / "b.csv").write_text("datetime;a\n2024-01-01T00:00:00+01:00;1\n2023-12-31 23:00:01.5;2\n")
    assert np.diff(read_recording(tmp_path / "b.csv").timestamps_us).tolist() == [1_500_000]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a;b\n1;2\n3;4\n", "expected a column datetime or timestamp"),
        ("datetime;a\n", "got only a header"),
        ("datetime;anomaly\n2024-01-01;0\n2024-01-02;0\n", "expected columns of features, got only datetime, anomaly"),
        ("datetime;a\n2024-01-02;1\n2024-01-01;1\n", r"a\.csv:3: expected times to increase"),
        (
            "datetime;a\n2024-01-01;1\nsoon;1\n",
            r"a\.csv:3: expected a number, a date .*, got 'soon' in column datetime",
        ),
        ("datetime;a\n2024-01-01;1\n2024-01-02;many\n", r"a\.csv:3: expected a number, got 'many' in column a"),
        ("datetime;a;a\n2024-01-01;1;1\n", "expected a name of its own for each column"),
        ("datetime;a\n2024-01-01;1\n2024-01-02\n", r"a\.csv:3: expected 2 columns, got 1"),
    ],
)
def test_a_broken_table_of_features_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "a.csv")
