"""A recording through a Session as the service would put it through, without network: the same events, at once.

In: a recording, a model, options. Out: events with the source time at which each left the session. It is the slow,
obvious twin of the service.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from motionscribe_models.recordings import Recording
from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.session import Session
from motionscribe_server.session.steps import Engine

BLOCK = 48
"""Frames sent at once where nobody asks when events came: the same events for half of what single frames cost."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event and when it came."""

    time_us: int
    """Time of the newest source frame that had arrived."""
    event: Event


def blocks_of(recording: Recording, frames: int) -> Iterator[FrameBlock]:
    """The recording in blocks of up to `frames` frames, seq from 1."""
    for start in range(0, len(recording.frames), frames):
        end = start + frames
        yield FrameBlock(start + 1, recording.frames[start:end], recording.timestamps_us[start:end])


def events_of(driver: Driver, recording: Recording) -> list[Event]:
    """All events of one recording, in order."""
    return [event for block in blocks_of(recording, BLOCK) for event in driver.send(block)] + driver.close()


def replay(
    model: ServedModel,
    engine: Engine,
    recording: Recording,
    options: SessionOptions | None = None,
    session: Session | None = None,
) -> list[Emitted]:
    """All events of one recording, in order. `session` is a fresh one unless given, to look into it afterwards."""
    driver = Driver(session or Session(model, options), engine)
    emitted: list[Emitted] = []
    for block in blocks_of(recording, 1):
        time_us = int(block.timestamps_us[-1])
        emitted += [Emitted(time_us, event) for event in driver.send(block)]
    last_us = int(np.max(recording.timestamps_us))
    return emitted + [Emitted(last_us, event) for event in driver.close()]
