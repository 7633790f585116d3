"""A recording through a Session as the service would put it through, without network: the same events, at once.

In: frames, a model, options. Out: events with the source time at which each left the session. The slow, obvious twin
of the service; evaluation and the fit of what a model knows about itself use it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from motionscribe_models.recordings import Recording
from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.session import Session, steps_of
from motionscribe_server.session.steps import Engine


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
        yield FrameBlock(start + 1, recording.frames[start:end], recording.timestamps_us[start:end], None)


def replay(
    model: ServedModel,
    engine: Engine,
    recording: Recording,
    options: SessionOptions | None = None,
    session: Session | None = None,
) -> list[Emitted]:
    """All events of one recording, in order. `session` is a fresh one unless given, to look into it afterwards."""
    session = session or Session(model, options)
    state = engine.new_state()
    emitted: list[Emitted] = []
    for block in blocks_of(recording, 1):
        time_us = int(block.timestamps_us[-1])
        session.receive_frames(block)
        for step in steps_of([session])[0]:
            (states,) = engine.advance([state], [[step]])
            emitted += [Emitted(time_us, event) for event in session.receive_states([step], states)]
    last_us = int(np.max(recording.timestamps_us))
    return emitted + [Emitted(last_us, event) for event in session.close()]
