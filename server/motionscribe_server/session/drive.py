"""One session put through one engine, block by block, without a server: the one loop between a session's two doors.

In: a Session, an Engine, blocks of frames. Out: the events of each block. The server does the same for many sessions at
once (engine/scheduler.py); replays, evaluation, benchmarks and tests use this.
"""

from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.session import Session
from motionscribe_server.session.steps import EncoderStates, Engine


class Driver:
    """A session, what computes for it, and its encoder states."""

    def __init__(self, session: Session, engine: Engine, encoder_states: EncoderStates | None = None) -> None:
        """`encoder_states` are those of a session that came from a snapshot; a new one begins with none."""
        self.session = session
        self.engine = engine
        self.encoder_states = engine.new_state() if encoder_states is None else encoder_states

    def send(self, block: FrameBlock) -> list[Event]:
        """All that is known once the frames of the block are computed. Raises LayoutError as Session does."""
        self.session.receive_frames(block)
        events: list[Event] = []
        for step in self.session.take_steps():
            (states,) = self.engine.advance([self.encoder_states], [[step]])
            events += self.session.receive_states([step], states)
        return events

    def close(self) -> list[Event]:
        """No more frames: what only the end makes final."""
        return self.session.close()
