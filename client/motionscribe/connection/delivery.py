"""What was sent and what arrived: frames until the server has them, and events exactly once. No network here.

Outbox: blocks of frames go in, numbered blocks that the credits allow come out, and come out again after a
reconnection unless the server has received them. Inbox: updates go in, events that are new come out.
"""

from collections import deque
from dataclasses import replace

from motionscribe.errors import BadFrames
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_from_messages
from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock, WireError

# four times the credits of our server: one that gives credits and never says what it keeps is sent no more than this
KEPT_FRAMES = 16_384


class Outbox:
    """Frames on their way to the server. None is forgotten before the server has said that it may be."""

    def __init__(self, kept_frames: int = KEPT_FRAMES) -> None:
        self._kept_frames = kept_frames
        self._waiting: deque[FrameBlock] = deque()
        self._sent: deque[FrameBlock] = deque()
        self._next_seq = 1
        self._shift: int | None = None
        self._last_us = 0
        self._credits = 0
        self._kept = 0  # frames in `_sent`
        self._forgotten_seq = 0

    @property
    def empty(self) -> bool:
        """True when nothing waits to be sent."""
        return not self._waiting

    @property
    def position(self) -> tuple[int, int]:
        """Number and time of the next frame to send; where none waits, of the one after the last, at its time."""
        if self._waiting:
            return self._waiting[0].first_seq, int(self._waiting[0].timestamps_us[0])
        return self._next_seq, self._last_us

    def reopen(self, next_seq: int, credits: int, resumed: bool) -> None:
        """A connection begins: what it is granted, and where the server wants to go on.

        Raises WireError where it resumes with frames that it said may be forgotten.
        """
        if resumed and next_seq <= self._forgotten_seq:
            raise WireError(f"expected to go on after frame {self._forgotten_seq}, got a server that wants {next_seq}")
        if self._shift is None:
            # sources count from 1; a server that knows the stream id may be further
            self._shift = next_seq - 1
            self._next_seq = next_seq
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self._kept = 0
        _forget(self._waiting, next_seq - 1)
        self._credits = credits

    def put(self, block: FrameBlock) -> None:
        """Frames of the source. Raises BadFrames where their numbers run backwards."""
        if self._shift is None:
            raise RuntimeError("frames before the stream was opened")
        block = replace(block, first_seq=block.first_seq + self._shift)
        if block.first_seq < self._next_seq:
            expected, got = self._next_seq - self._shift, block.first_seq - self._shift
            raise BadFrames(f"expected frame {expected} or a later one, got frame {got}")
        self._next_seq, self._last_us = block.next_seq, int(block.timestamps_us[-1])
        self._waiting.append(block)

    def take(self) -> FrameBlock | None:
        """The next frames to send, None when there are none, no credits, or too many that the server may want again."""
        most = min(self._credits, self._kept_frames - self._kept)
        if not self._waiting or most <= 0:
            return None
        block = self._waiting.popleft()
        if len(block) > most:
            self._waiting.appendleft(block.rows(most, len(block)))
            block = block.rows(0, most)
        self._credits -= len(block)
        self._kept += len(block)
        self._sent.append(block)
        return block

    def received(self, last_seq: int, credits: int) -> None:
        """The server needs the frames up to `last_seq` no more, and takes `credits` more."""
        self._credits += credits
        self._kept -= _forget(self._sent, last_seq)
        self._forgotten_seq = max(self._forgotten_seq, last_seq)


def _forget(blocks: deque[FrameBlock], last_seq: int) -> int:
    """Removes the frames up to `last_seq`; returns how many."""
    removed = 0
    while blocks and blocks[0].next_seq - 1 <= last_seq:
        removed += len(blocks.popleft())
    if blocks and blocks[0].first_seq <= last_seq:
        rest = blocks[0].rows(last_seq + 1 - blocks[0].first_seq, len(blocks[0]))
        removed += len(blocks[0]) - len(rest)
        blocks[0] = rest
    return removed


class Inbox:
    """Events of one session."""

    def __init__(self) -> None:
        self.last_event = 0
        """Number of the newest event that arrived, 0 before the first."""
        self.handled = 0
        """Number of the newest event that the consumer is done with; the server may forget it."""

    def take(self, update: pb.Update) -> list[Event]:
        """The events of `update` that are new. Numbers may jump: outdated provisional labels are not sent again.

        Raises WireError for events without a number or of an unknown kind.
        """
        if update.events and not update.first_event:
            raise WireError("expected events numbered from 1 on, got 0")
        new = update.events[max(0, self.last_event + 1 - update.first_event) :]
        events = events_from_messages(new)
        if new:
            self.last_event = update.first_event + len(update.events) - 1
        return events
