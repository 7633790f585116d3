"""Joints that are out of sight: since when, and the Degraded events that tell of it.

In: which joints each source frame does not show. Out: Degraded events. A joint is out of sight once it was not seen for
HOLD_S, and in sight again once it was seen for as long: what flickers changes nothing. Spans of events are exact to the
frame, though they are told later.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.body.follow import HOLD_S
from motionscribe_models.state import State
from motionscribe_proto.events import Degraded

HOLD_US = round(1e6 * HOLD_S)
"""From then on features do not hold a lost joint."""
EVERY_US = 1_000_000
"""From one change of what is told to the next: joints that come and go one by one make no flood. What has changed back
by then is not told."""

Frame = tuple[int, int]
"""Seq and time in microseconds."""


class UnseenJoints:
    """Which joints of one stream are out of sight."""

    def __init__(self, joints: Sequence[str]) -> None:
        """`joints` are the names of all."""
        self._joints = tuple(joints)
        self._lost: set[int] = set()  # out of sight
        self._turning: dict[int, Frame] = {}  # joints that are otherwise than _lost says, since when
        self._changes: list[Frame] = []  # the first and the last of _lost that was not told
        self._open: Degraded | None = None
        self._told_us: int | None = None  # when something was told last
        self._events = 0  # that began

    def watch(self, first_seq: int, times: Sequence[int], unseen: NDArray[np.bool_]) -> dict[int, list[Degraded]]:
        """Takes frames of `times`, whose joints are not seen where `unseen` (K, J); returns what is told, by row."""
        told: dict[int, list[Degraded]] = {}
        if not (self._turning or self._changes or (unseen != self._as_row()).any()):
            return told
        for row, (time_us, gone) in enumerate(zip(times, unseen, strict=True)):
            frame = first_seq + row, time_us
            differ = set(np.flatnonzero(gone).tolist()) ^ self._lost
            self._turning = {joint: self._turning.get(joint, frame) for joint in sorted(differ)}
            ripe = {joint: since for joint, since in self._turning.items() if time_us - since[1] >= HOLD_US}
            if ripe:
                self._lost ^= ripe.keys()
                self._turning = {joint: since for joint, since in self._turning.items() if joint not in ripe}
                self._changes = [*self._changes[:1], min(ripe.values()), max(ripe.values())]
            if self._changes and (self._told_us is None or time_us - self._told_us >= EVERY_US):
                told[row] = self._tell(frame)
        return told

    def end(self, seq: int, time_us: int) -> list[Degraded]:
        """What is open ends before the frame of `seq`; nothing before it belongs to what comes after it."""
        events = self._close(min([(seq, time_us), *self._changes]))
        self._lost, self._turning, self._changes, self._told_us = set(), {}, [], None
        return events

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "lost": sorted(self._lost),
            "turning": [[joint, *since] for joint, since in self._turning.items()],
            "changes": [list(frame) for frame in self._changes],
            "open": None if self._open is None else degraded_state(self._open),
            "told_us": self._told_us,
            "events": self._events,
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._lost = set(state["lost"])
        self._turning = {joint: (seq, time_us) for joint, seq, time_us in state["turning"]}
        self._changes = [(seq, time_us) for seq, time_us in state["changes"]]
        self._open = None if state["open"] is None else degraded_of(state["open"])
        self._told_us, self._events = state["told_us"], state["events"]

    def _as_row(self) -> NDArray[np.bool_]:
        row = np.zeros(len(self._joints), bool)
        row[list(self._lost)] = True
        return row

    def _tell(self, now: Frame) -> list[Degraded]:
        """At the frame `now`; nothing where joints are those that were told before."""
        joints = tuple(self._joints[joint] for joint in sorted(self._lost))
        first, last = self._changes[0], self._changes[-1]
        self._changes = []
        if joints == (self._open.joints if self._open else ()):
            return []
        events = self._close(first)
        if joints:
            self._events += 1
            self._open = Degraded(self._events, True, last[0], now[0] + 1, last[1], now[1], joints)
            events.append(self._open)
        self._told_us = now[1]
        return events

    def _close(self, end: Frame) -> list[Degraded]:
        if self._open is None:
            return []
        ended = replace(self._open, ongoing=False, end_seq=end[0], end_us=end[1])
        self._open = None
        return [ended]


def degraded_state(event: Degraded) -> State:
    """As plain values; `degraded_of` reads it."""
    return {**asdict(event), "joints": list(event.joints)}


def degraded_of(state: State) -> Degraded:
    """The event that gave `state`."""
    return Degraded(**{**state, "joints": tuple(state["joints"])})
