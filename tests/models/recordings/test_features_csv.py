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
        ('time,a\n0,"1,234.50"\n1,"1,235.50"\n', "expected numbers in column a, got '1,234.50'"),
        ("datetime;a;a\n2024-01-01;1;1\n", "expected a name of its own for each column"),
        ("datetime;a\n2024-01-01;1\n2024-01-02\n", r"a\.csv:3: expected 2 columns, got 1"),
    ],
)
def test_a_broken_table_of_features_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "a.csv")


def test_what_is_no_feature_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "frame,timestamp_ms,time_s,who,is_anomaly,action,void,index,a\n"
        "7,0,0.0,Ann,0,1,,0.5,1\n8,40,0.04,Ann,0,1,,0.6,2\n9,80,0.08,,1,2,,0.7,3\n"
    )
    recording = read_recording(tmp_path / "a.csv")
    assert recording.skeleton.joints == ("index", "a")  # a finger of a glove
    assert recording.timestamps_us.tolist() == [0, 40_000, 80_000]
    assert recording.notes == (
        "columns left out: frame (numbers of rows), time_s (times), who (labels), is_anomaly (labels), "
        "action (labels), void (nothing)",
    )


def test_no_time_becomes_a_feature_where_a_rate_is_given(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ufeffTime (s),index,Frame,a\n0.0,0,5,1\n0.5,1,5,2\n", encoding="utf-8")
    recording = read_recording(tmp_path / "a.csv", 10.0)
    assert recording.skeleton.joints == ("a",)
    assert recording.timestamps_us.tolist() == [0, 100_000]


def test_temperature_is_a_feature_beside_times(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,T\n0.0,20\n0.5,19\n")
    assert read_recording(tmp_path / "a.csv").skeleton.joints == ("T",)


@pytest.mark.parametrize("rate_hz", [None, 10.0])
def test_rows_without_values_leave_a_gap(tmp_path: Path, rate_hz: float | None) -> None:
    (tmp_path / "a.csv").write_text("time,a,b\n0.0,1,2\n0.1,,\n0.2,NaN,\n0.3,3,4\n")
    recording = read_recording(tmp_path / "a.csv", rate_hz)
    assert recording.timestamps_us.tolist() == [0, 300_000]
    assert "2 rows without values left out" in recording.notes


def test_a_number_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,a\n0.0,1e39\n0.1,0\n")
    with pytest.raises(RecordingError, match="expected finite numbers, got inf in frame 1"):
        read_recording(tmp_path / "a.csv")
