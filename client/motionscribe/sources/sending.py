"""Plays recordings as a live feed would send them: for loopback tests, for trying things out, for replaying a fault.

In: recordings, each of one person, and what speaks a feed's protocol (a Sender). Out: frames, at their pace. A sender
gets places in metres with y up and turns them into what its protocol has.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from motionscribe.pacing import Pacer
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import RecordingError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import Recording
from motionscribe_models.recordings.places import METRE, places_skeleton
from motionscribe_models.skeleton import upright

log = logging.getLogger(__name__)

LONG_PAUSE_S, LONGEST_PAUSE_S = 10.0, 3600.0
"""A pause that is said aloud, and the longest: times of a file may be anything."""


@dataclass(frozen=True, eq=False)
class Actor:
    """A person in a recording. Raises RecordingError where it has no places in space and these are asked for."""

    recording: Recording

    @property
    def joints(self) -> tuple[str, ...]:
        """As the recording calls them."""
        return self.recording.skeleton.joints

    @cached_property
    def places(self) -> NDArray[np.float32]:
        """(n, J, 3) metres, y up, axes of a right hand; NaN for a joint that was not seen."""
        skeleton = self.recording.skeleton
        if skeleton.representation in ("features", "positions2d", "body2d"):
            raise RecordingError(f"{self.recording.name}: expected a body in space, got {skeleton.representation}")
        places = joint_positions(skeleton, self.recording.frames) @ upright(skeleton).T * skeleton.metres_per_unit
        return places.astype(np.float32)

    def as_places(self) -> Recording:
        """The recording with its joints as `places`, whatever they were."""
        skeleton = self.recording.skeleton
        placed = places_skeleton(skeleton.name, self.joints, METRE, "y", skeleton.rate_hz, skeleton.parents)
        frames = self.places.reshape(len(self.places), placed.width)
        return replace(self.recording, frames=frames, skeleton=placed)

    @cached_property
    def body(self) -> NDArray[np.float32]:
        """(n, 15, 3) as `places`, of the joints of the canonical body (BODY.joints), for protocols with fixed names.

        Raises LayoutError for a skeleton that cannot be mapped.
        """
        mapped = find_mapping(self.recording.skeleton).apply(self.recording.frames, self.recording.confidences)
        return mapped[:, :-1].reshape(len(mapped), len(BODY.joints), 3)

    def row(self, time_us: int) -> int | None:
        """The frame that is shown at a time of the recordings; None before the first and after the last one."""
        times = self.recording.timestamps_us
        row = int(np.searchsorted(times, time_us, side="right")) - 1
        return row if row >= 0 and time_us <= times[-1] else None


class Sender(Protocol):
    """Speaks one protocol for some actors; made by `function(actors, address)`, which opens what it needs.

    Raises RecordingError for recordings that the protocol cannot carry, OSError.
    """

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        """Sends one frame now: of each actor the row, None while they are away. `time_us` is the sender's clock."""

    def close(self) -> None:
        """Called once, after the last frame."""


@dataclass(frozen=True, eq=False)
class Track:
    """When frames leave, what the sender's clock says of each, and what is shown."""

    leave_us: Sequence[int]
    """Not decreasing; only their differences count."""
    times_us: Sequence[int]
    """The sender's clock, whatever it does."""
    rows: Sequence[Sequence[int | None]]
    """Of each frame the row of each actor."""

    @classmethod
    def of(cls, recordings: Sequence[Recording]) -> "Track":
        """All frames of the first recording at their times, and of the others what is shown then."""
        actors, times = [Actor(recording) for recording in recordings], recordings[0].timestamps_us.tolist()
        return cls(times, times, [[actor.row(time_us) for actor in actors] for time_us in times])


def play(
    recordings: Sequence[Recording],
    sender: Sender,
    *,
    track: Track | None = None,
    speed: float = 1.0,
    repeat: bool = False,
    stopped: Event | None = None,
) -> None:
    """Sends frames of recordings as `track` has it, else as Track.of, at `speed` times its pace. Closes the sender.

    `repeat` begins again when all was sent, and the sender's clock goes on. Pauses of more than an hour are cut to one.
    """
    stopped = stopped or Event()
    track = track or Track.of(recordings)
    leave, times = track.leave_us, track.times_us
    period_us = round(1e6 / recordings[0].skeleton.rate_hz)
    pacer, offsets_us, cut_us = Pacer(speed), (0, 0), 0
    with closing(sender):
        while True:
            for leave_us, time_us, rows in zip(leave, times, track.rows, strict=True):
                wait_s = pacer.wait_s(leave[0], leave_us + offsets_us[0] - cut_us)
                if wait_s > LONGEST_PAUSE_S:
                    log.warning("a pause of %.3g s is cut to %g s", wait_s, LONGEST_PAUSE_S)
                    cut_us += round((wait_s - LONGEST_PAUSE_S) * speed * 1e6)
                    wait_s = LONGEST_PAUSE_S
                elif wait_s > LONG_PAUSE_S:
                    log.warning("the next frame leaves in %.0f s", wait_s)
                if wait_s > 0:
                    stopped.wait(wait_s) if wait_s > 0.05 else time.sleep(wait_s)  # events wake up late
                if stopped.is_set():
                    return
                sender.send(time_us + offsets_us[1], rows)
            if not repeat:
                return
            offsets_us = (
                offsets_us[0] + leave[-1] - leave[0] + period_us,
                offsets_us[1] + times[-1] - times[0] + period_us,
            )
