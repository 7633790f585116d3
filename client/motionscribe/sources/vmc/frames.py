"""Packets of one sender to frames: a packet holds a frame, a part of one, or a single message. Pure.

A frame begins with a new time, or with a bone that the frame before has already, be it at the same time: times that
repeat are not judged here. It is whole when all bones are there
that this sender sends; where one stays away, the next frame ends it. A sender that restarts is learnt anew: its time
goes back, or it was away.
"""

from dataclasses import dataclass, field

from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.vmc.bones import HERE, Transform, places_of, skeleton_of
from motionscribe.sources.vmc.packets import Packet
from motionscribe_models.skeleton import Skeleton

LEARNT = 3
"""Frames that tell which bones a sender sends, since packets get lost. They wait."""
AWAY_US = 2_000_000
"""Who was silent for longer may have another body."""
SET_BACK_US = 1_000_000
"""A time that is so much earlier is that of a sender that began anew."""
MOST_LATE = 16
"""Packets of one time that is a little earlier: of more, the clock was set back. Of several times two are enough."""
FIRST_BONE = "Hips"
"""Senders go through Unity's list, which begins here: of one without times, this is where a frame begins."""
PERSON = "1"


@dataclass
class _Frame:
    time_us: int | None
    """By the sender; None where it does not say."""
    arrived_us: int
    root: Transform
    bones: dict[str, Transform] = field(default_factory=dict)
    told: bool = False


class Frames:
    """Puts together what one sender sends."""

    def __init__(self) -> None:
        self._skeleton: Skeleton | None = None
        """None while it is learnt."""
        self._waiting: list[_Frame] = []
        """Frames while it is learnt."""
        self._frame: _Frame | None = None
        """The newest, which may not be whole; None before the first beginning of a frame."""
        self._clock: tuple[int, int] | None = None
        """The sender's newest time, and when it came."""
        self._late: list[tuple[Packet, int]] = []
        """Packets with an earlier time and their arrivals: they came late, or the clock was set back by a little."""
        self.left_out = 0
        """Packets that came late."""
        self._root = HERE
        self._heard_us = 0

    def take(self, packet: Packet, arrived_us: int) -> list[Moment]:
        """Frames that are whole, or have ended, now."""
        moments = []
        since_us = packet.time_us - self._clock[0] if packet.time_us is not None and self._clock else 0
        if arrived_us - self._heard_us > AWAY_US or since_us < -SET_BACK_US:
            moments += self.end()
            self._skeleton, self._waiting, self._frame, self._clock, self._root = None, [], None, None, HERE
            self._late = []
        elif since_us < 0:
            return self._put_off(packet, arrived_us)
        elif self._late and packet.time_us is not None:
            self.left_out += len(self._late)
            self._late = []
        self._heard_us = arrived_us
        if self._begins(packet):
            moments += self.end()
            self._frame = _Frame(packet.time_us, arrived_us, self._root)
        if packet.time_us is not None:
            self._clock = packet.time_us, arrived_us
        if packet.root:
            self._root = packet.root
        if self._frame:
            self._frame.bones |= packet.bones
            self._frame.root = self._root
            if self._skeleton and self._frame.bones.keys() >= set(self._skeleton.joints):
                moments += self._finish(self._frame)
        return moments

    def _put_off(self, packet: Packet, arrived_us: int) -> list[Moment]:
        """Frames of packets that were put off, once they show that the clock goes on from an earlier time."""
        self._late.append((packet, arrived_us))
        if packet.time_us == self._late[0][0].time_us and len(self._late) <= MOST_LATE:
            return []
        late, self._late = self._late, []
        moments = self.end()
        self._frame = self._clock = None
        for one in late:
            moments += self.take(*one)
        return moments

    def end(self) -> list[Moment]:
        """The newest frame as far as it has come: nothing more of it will."""
        return self._finish(self._frame) if self._frame and self._frame.bones else []

    def _begins(self, packet: Packet) -> bool:
        if packet.time_us is not None:
            if not self._clock or packet.time_us != self._clock[0]:
                return True
            if not self._frame or (self._skeleton and not self._frame.told):
                return False  # a part of the same frame, or one that came twice
        if not self._frame:
            return FIRST_BONE in packet.bones
        return not self._frame.bones.keys().isdisjoint(packet.bones)

    def _time_us(self, frame: _Frame) -> int:
        """Of a frame without a time by how much later it came than one with; of a sender without times when it came."""
        if frame.time_us is not None:
            return frame.time_us
        return self._clock[0] + frame.arrived_us - self._clock[1] if self._clock else frame.arrived_us

    def _finish(self, frame: _Frame) -> list[Moment]:
        if self._skeleton and not frame.bones.keys() <= set(self._skeleton.joints):
            # bones that are new: whoever sends them has another skeleton
            self._skeleton, frame.told = None, False
        if frame.told:
            return []
        frame.told = True
        self._waiting.append(frame)
        if not self._skeleton:
            if len(self._waiting) < LEARNT:
                return []
            self._skeleton = skeleton_of({bone for waiting in self._waiting for bone in waiting.bones})
        told, self._waiting = self._waiting, []
        skeleton = self._skeleton
        return [
            Moment(
                self._time_us(f), f.arrived_us, [Body(skeleton, places_of(skeleton, f.root, f.bones), person=PERSON)]
            )
            for f in told
        ]
