"""A machine that reports once a second, from its table to labels, with nothing told to the trainer but the file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.recordings import Recording, even_times, read_recording, write_recording
from motionscribe_models.repository import ModelBundle, read_bundle
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_proto.events import Anomaly, Gap, SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_training.__main__ import main
from motionscribe_training.run import default_rate, default_stride, slowest_rate

MODES = 0.8 * np.array([[0, 0, 0, 0], [3, 0, -2, 0], [0, 3, 0, -2]])
LASTS = 90
"""Seconds of a mode."""


def machine(order: list[int], seed: int) -> Recording:
    """Four noisy readings a second; each mode in `order` lasts a minute and a half."""
    rng = np.random.default_rng(seed)
    modes = np.repeat(MODES[order], LASTS, axis=0)
    readings = 5 + modes + rng.normal(0, 1.0, modes.shape)
    skeleton = feature_skeleton("rig", ("current", "flow", "heat", "pressure"), 1.0)
    return Recording("rig", readings.astype(np.float32), even_times(len(readings), 1.0), skeleton)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rig")
    write_recording(machine([0, 1, 0, 2, 1, 2] * 3, 0), place / "rig.npz")
    sizes = ["--hidden", "24", "--projected", "8", "--iterations", "60", "--batch-size", "16"]
    assert main(["run", str(place / "rig.npz"), *sizes, "--out", str(place), "--log", str(place / "log")]) == 0
    return place / "motion" / "1"


def test_frames_and_moments_are_those_of_the_table(folder: Path) -> None:
    manifest = read_bundle(folder).manifest
    assert (manifest.rate_hz, manifest.stride, manifest.window) == (1.0, 1, 50)
    assert manifest.latency == {"fast": 2, "balanced": 5, "stable": 15}
    assert {name: manifest.settings[name] for name in ("shortest", "adult", "edge", "closed")} == {
        "shortest": 4,
        "adult": 12,
        "edge": 2,
        "closed": 10,
    }


def test_segments_last_as_long_as_the_modes_of_the_machine(folder: Path) -> None:
    bundle, order = read_bundle(folder), [0, 1, 2, 0, 2, 1]
    events = [e.event for e in replay(ServedModel(bundle), Inference(bundle, "fp32", (1,)), machine(order, 7))]
    segments = [event for event in events if isinstance(event, SegmentEnded)]
    assert [event for event in events if isinstance(event, Gap)] == []
    ends_s = np.array([segment.end_us / 1e6 for segment in segments])
    for change in LASTS * np.arange(1, len(order)):
        assert np.abs(ends_s - change).min() <= 12
    assert len(segments) <= 2 * len(order)
    lengths_s = [(segment.end_us - segment.start_us) / 1e6 for segment in segments]
    assert np.median(lengths_s) > LASTS / 2


def test_a_second_that_is_missing_is_no_gap_and_three_are(folder: Path) -> None:
    bundle, whole = read_bundle(folder), machine([0, 1], 3)
    for missing, gaps in ((1, 0), (2, 1), (3, 1)):
        there = np.delete(np.arange(len(whole.frames)), slice(60, 60 + missing))
        holed = replace(whole, frames=whole.frames[there], timestamps_us=whole.timestamps_us[there])
        events = [e.event for e in replay(ServedModel(bundle), Inference(bundle, "fp32", (1,)), holed)]
        assert len([event for event in events if isinstance(event, Gap)]) == gaps


def anomalies(bundle: ModelBundle) -> list[Anomaly]:
    """Of a reading that leaves its range for a minute, 400 s after the beginning."""
    recording = machine([0, 1, 2, 0, 1, 2], 5)
    recording.frames[400:460, 3] += 40
    options = SessionOptions(provisional=False)
    events = [e.event for e in replay(ServedModel(bundle), Inference(bundle, "fp32", (1,)), recording, options)]
    return [event for event in events if isinstance(event, Anomaly)]


def test_a_reading_that_leaves_its_range_for_a_minute_is_one_anomaly(folder: Path) -> None:
    found = [anomaly for anomaly in anomalies(read_bundle(folder)) if anomaly.kind == "motion fault"]
    (number,) = {anomaly.anomaly for anomaly in found if anomaly.phase == "persisting"}
    began, *_, ended = [anomaly for anomaly in found if anomaly.anomaly == number]
    assert (began.phase, ended.phase) == ("begun", "ended")
    assert "pressure" in began.joints
    assert 400 <= began.start_us / 1e6 <= 403
    assert 459 <= ended.end_us / 1e6 <= 485, "a level is the mean of ten readings"


@pytest.mark.parametrize(
    ("rate_hz", "window", "stride"), [(30, 50, 5), (120, 50, 5), (30, 48, 4), (10, 50, 2), (5, 50, 1), (1, 50, 1)]
)
def test_moments_of_slow_feeds_have_fewer_frames(rate_hz: float, window: int, stride: int) -> None:
    assert default_stride(rate_hz, window) == stride


def test_the_rate_is_no_higher_than_that_of_any_recording() -> None:
    slow = machine([0], 0)
    fast = replace(slow, skeleton=replace(slow.skeleton, rate_hz=120.0))
    assert default_rate([fast]) == 30.0
    assert default_rate([fast, slow]) == 1.0
    assert slowest_rate([fast, slow]) == 1.0


@pytest.mark.data
def test_the_rig_of_skab_has_its_own_rate(data_dir: Path) -> None:
    assert default_rate([read_recording(data_dir / "skab" / "valve1" / "0.csv")]) == 1.0
