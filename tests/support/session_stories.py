"""Stories that a made-up session is told: motion in order, what it answers, and strategies that draw both."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from tests.support.made_up_session import (
    RATE,
    Means,
    made_up_model,
    motion,
    recording,
)

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import (
    Event,
    SegmentEnded,
)
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay

MODEL = made_up_model()  # knows places 0 and 1 as clusters 1 and 2
WARM = (1, 2)
SCRIPT = [(0, 25), (1, 30), (2, 25), (0, 30), (3, 20), (2, 25), (1, 12)]


def events_of(
    frames: np.ndarray, times: np.ndarray | None = None, options: SessionOptions | None = None
) -> list[Event]:
    return [emitted.event for emitted in replay(MODEL, Means(), recording(frames, times), options)]


def runs_of(events: Sequence[Event]) -> list[tuple[int, int, int]]:
    """(cluster, start_seq, end_seq) of ended segments."""
    return [(e.cluster, e.start_seq, e.end_seq) for e in events if isinstance(e, SegmentEnded)]


def send_all(stream: Driver, frames: np.ndarray, seq: int = 1, start_us: int = 0) -> list[Event]:
    return stream.send(FrameBlock(seq, frames, start_us + even_times(len(frames), RATE)))


@st.composite
def stories(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Frames and times: motions long and short, noisy, at jittering times, with gaps."""
    script = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 25)), min_size=1, max_size=8))
    frames = motion(script, draw(st.integers(0, 99)), draw(st.sampled_from([0.01, 0.2, 0.6])))
    frames = frames[: len(frames) - draw(st.integers(0, 2))]
    steps = np.random.default_rng(draw(st.integers(0, 99))).integers(20_000, 46_000, len(frames))
    for at, wait in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(200_000, 9_000_000)), max_size=3)):
        steps[at % len(frames)] = wait
    return frames, np.cumsum(steps)


options_of = st.builds(
    SessionOptions,
    lag=st.sampled_from(["fast", "balanced", "stable"]),
    provisional=st.booleans(),
)
