"""Recordings played as live feeds: places in metres with y up, at their pace, one actor a recording."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from motionscribe.demo.performer import perform
from motionscribe.sources import sending
from motionscribe.sources.sending import Actor, Track, play
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.skeleton import Skeleton, feature_skeleton

JOINTS = ("head", "foot")


def recording_of(up_axis: str = "y", units: float = 1.0, frames: int = 10, first_us: int = 0) -> Recording:
    skeleton = Skeleton("two", JOINTS, (-1, -1), "positions", "u", units, up_axis, 100.0)
    values = np.tile(np.array([1, 2, 3, 4, 5, 6], np.float32), (frames, 1))
    return Recording("two", values, even_times(frames, 100.0) + first_us, skeleton)


class Told:
    def __init__(self) -> None:
        self.sent: list[tuple[int, Sequence[int | None]]] = []
        self.closed = 0

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        self.sent.append((time_us, rows))

    def close(self) -> None:
        self.closed += 1


def test_places_are_metres_with_y_up() -> None:
    np.testing.assert_allclose(Actor(recording_of()).places[0], [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_allclose(Actor(recording_of("z", 0.01)).places[0], [[0.01, 0.03, -0.02], [0.04, 0.06, -0.05]])
    machine = Recording("m", np.ones((1, 1), np.float32), even_times(1, 1.0), feature_skeleton("m", ("a",), 1.0))
    with pytest.raises(RecordingError, match="expected a body in space, got features"):
        _ = Actor(machine).places


def test_the_canonical_body_stands_where_the_recording_does() -> None:
    recording = perform([("walk", 1.0)], rate_hz=30).recording
    mapped = find_mapping(recording.skeleton).apply(recording.frames)
    body = Actor(recording).body
    assert body.shape == (len(mapped), len(BODY.joints), 3)
    np.testing.assert_allclose(body.reshape(len(mapped), -1), mapped[:, :-1])


def test_all_frames_are_sent_and_others_show_what_is_then() -> None:
    told = Told()
    play([recording_of(frames=10), recording_of(frames=3, first_us=25_000)], told, speed=1e6)
    assert [time_us for time_us, _ in told.sent] == [n * 10_000 for n in range(10)]
    assert [rows for _, rows in told.sent] == [[n, {3: 0, 4: 1}.get(n)] for n in range(10)]
    assert told.closed == 1


def test_the_pace_is_the_recordings() -> None:
    told = Told()
    started = time.monotonic()
    play([recording_of(frames=31)], told, speed=2.0)
    assert time.monotonic() - started > 0.14
    assert len(told.sent) == 31


def test_over_and_over_the_clock_goes_on_until_it_is_stopped() -> None:
    stopped = threading.Event()

    class Stopping(Told):
        def send(self, time_us: int, rows: Sequence[int | None]) -> None:
            super().send(time_us, rows)
            if len(self.sent) == 25:
                stopped.set()

    told = Stopping()
    play([replace(recording_of(), name="again")], told, speed=1e6, repeat=True, stopped=stopped)
    assert [time_us for time_us, _ in told.sent] == [n * 10_000 for n in range(25)]
    assert [rows[0] for _, rows in told.sent] == [n % 10 for n in range(25)]
    assert told.closed == 1


def test_a_pause_without_an_end_is_cut_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sending, "LONGEST_PAUSE_S", 0.05)
    told, recording = Told(), recording_of(frames=3)
    play([recording], told, track=Track([0, 2**62, 2**62 + 1], [0, 1, 2], [[0], [1], [2]]), speed=0.001)
    assert len(told.sent) == 3
    assert [record.getMessage() for record in caplog.records] == ["a pause of 4.61e+15 s is cut to 0.05 s"]
