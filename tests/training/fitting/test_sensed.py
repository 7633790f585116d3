"""What the sensors said in a dataset: what a session hears of the same recordings, to the bit."""

from dataclasses import replace

import numpy as np
import pytest
from tests.support.made_up_session import RATE, STRIDE, Means, made_up_model
from tests.support.plain_state import same

from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.moment import Moment
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.session.session import Session
from motionscribe_training.data.dataset import make_dataset
from motionscribe_training.fitting.sensed import sensed_in


def body(rate_hz: float, jitter: float, gap_s: float = 0.0) -> Recording:
    """Six seconds of walking, at times that jitter by this share of a period; time is missing in the middle."""
    recording = mapped(perform([("walk", 6.0)], seed=4, rate_hz=rate_hz).recording)
    late = np.random.default_rng(0).uniform(0, jitter, len(recording.frames)) * 1e6 / rate_hz
    gap = gap_s * 1e6 * (np.arange(len(late)) >= len(late) // 2)
    times = recording.timestamps_us + np.round(late + gap).astype(np.int64)
    return replace(recording, timestamps_us=times)


def heard(recording: Recording, frames: int) -> list[Moment]:
    """The moments of a session that gets so many frames at once."""
    moments: list[Moment] = []
    model = made_up_model(skeleton=replace(recording.skeleton, rate_hz=RATE))
    options = SessionOptions(rate_hz=recording.skeleton.rate_hz)
    stream = Driver(Session(model, options, on_moment=moments.append), Means())
    for block in blocks_of(recording, frames):
        stream.send(block)
    return moments


@pytest.mark.parametrize("frames", [1, 7, 1000])
@pytest.mark.parametrize(("rate_hz", "jitter"), [(30.0, 0.0), (60.0, 0.3), (120.0, 0.8), (50.0, 0.3)])
def test_moments_say_what_a_session_hears(rate_hz: float, jitter: float, frames: int) -> None:
    recording = body(rate_hz, jitter)
    (sensed,) = sensed_in(make_dataset([recording], RATE), STRIDE)
    moments = heard(recording, frames)
    assert len(sensed) == len(moments) > 55
    for own, moment in zip(sensed, moments, strict=True):
        assert same(own.state(), moment.sensed.state())


def test_each_part_without_a_gap_is_on_its_own() -> None:
    recording = body(60.0, 0.3, gap_s=5.0)
    before, after = sensed_in(make_dataset([recording], RATE), STRIDE)
    moments = heard(recording, 20)
    assert len(before) > 25
    assert same([one.state() for one in before + after], [moment.sensed.state() for moment in moments])


def test_a_moment_in_which_no_frame_fell_is_left_out() -> None:
    recording = body(10.0, 0.0)
    kept = np.r_[0:20, 23:60]
    holey = replace(recording, frames=recording.frames[kept], timestamps_us=recording.timestamps_us[kept])
    runs = sensed_in(make_dataset([holey], RATE), STRIDE)
    assert sum(map(len, runs)) <= len(kept)
    assert all(np.isfinite(moment.jump).all() for run in runs for moment in run)
