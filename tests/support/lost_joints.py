"""A body some of whose joints are out of sight now and then, for tests of what is told of that."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording
from motionscribe_proto.events import Degraded, Event


def thinned(recording: Recording, rows: int) -> Recording:
    """One of so many frames."""
    skeleton = replace(recording.skeleton, rate_hz=recording.skeleton.rate_hz / rows)
    frames, times = recording.frames[::rows], recording.timestamps_us[::rows]
    return replace(recording, frames=frames, timestamps_us=times, skeleton=skeleton)


PLAY = thinned(mapped(perform([("walk", 5.0), ("squat", 4.0), ("walk", 5.0)], seed=3).recording), 4)
"""14 s at 30 Hz."""
LEFT_ARM = ("left_elbow", "left_wrist")


def without(recording: Recording, lost: Mapping[str, Sequence[tuple[float, float]]]) -> Recording:
    """A copy of a recording of the canonical body: joints are NaN from one second to another."""
    frames = recording.frames.copy()
    places = frames[:, :-1].reshape(len(frames), -1, 3)  # a view
    for joint, spans in lost.items():
        for start_s, end_s in spans:
            rows = slice(round(start_s * recording.skeleton.rate_hz), round(end_s * recording.skeleton.rate_hz))
            places[rows, JOINTS.index(joint)] = np.nan
    return replace(recording, frames=frames)


def told(events: Sequence[Event]) -> list[Degraded]:
    """The Degraded events."""
    return [event for event in events if isinstance(event, Degraded)]


def check_told(events: Sequence[Event]) -> list[Degraded]:
    """Each event that begins ends as it began, before another begins; returns the ends, whose spans are in order."""
    opened: Degraded | None = None
    ended: list[Degraded] = []
    for event in told(events):
        if event.ongoing:
            assert opened is None
            assert event.degraded == len(ended) + 1
            assert event.joints
            assert event.start_seq < event.end_seq
            assert not ended or event.start_us >= ended[-1].end_us
            opened = event
        else:
            assert opened is not None
            assert event == replace(opened, ongoing=False, end_seq=event.end_seq, end_us=event.end_us)
            assert event.start_seq < event.end_seq
            assert event.start_us < event.end_us
            opened = None
            ended.append(event)
    assert opened is None
    return ended
