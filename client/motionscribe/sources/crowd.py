"""Which body of a feed is whose, from moment to moment: by the sender's own ids, else by a tracker.

In: moments. Out: of each moment the persons by id, and who is still awaited. Whoever is away for two seconds while
others are there has left; a feed that is silent says nothing of anybody. Pure: no network, no clock.
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.tracker import AWAY_US, Spot, Tracker
from motionscribe_models.body.names import find_joints
from motionscribe_models.skeleton import Skeleton

LONGEST_STEP_US = 1_000_000
"""From one moment to the next no more time passes: a feed that is silent for longer stood still."""
MOST_KNOWN = 4096
"""Ids that are remembered: a sender may give a new one to every body."""


class Crowd:
    """Follows the people of one feed."""

    def __init__(self) -> None:
        self._tracker = Tracker()
        self._time_us = 0
        """How long the feed was not silent."""
        self._arrived_us: int | None = None
        self._seen_us: OrderedDict[str, int] = OrderedDict()
        """When each person with an id of the sender's was there, the latest last."""
        self._ids: dict[int, str] = {}
        """Of those whom the tracker numbers. Ids of the sender's go before: a number that is one is passed over."""
        self._given = 0
        """The newest number that is an id."""
        self._lost: set[str] = set()
        """Ids that are another one's since this moment."""

    @property
    def present(self) -> frozenset[str]:
        """Who was there in the newest moment, or not longer than two seconds before."""
        return frozenset(self._seen_us).union(self._ids.values()) - self._lost

    def take(self, moment: Moment) -> Mapping[str, Body]:
        """Who is there, by id: the sender's own, or 1, 2, 3, ... Bodies that are nobody yet are left out."""
        step_us = 0 if self._arrived_us is None else moment.arrived_us - self._arrived_us
        self._time_us += min(max(step_us, 0), LONGEST_STEP_US)
        self._arrived_us = moment.arrived_us
        people = {body.person: body for body in moment.bodies if body.person}
        self._see(people, bool(moment.bodies))
        spots = [(spot, body) for body in moment.bodies if not body.person and (spot := self._spot(body))]
        if spots or not people:
            numbers = self._tracker.follow(self._time_us, [spot for spot, _ in spots])
        else:  # a sender with ids says nothing of the people of another one on the same port
            self._tracker.leave(self._time_us)
            numbers = []
        present = self._tracker.present
        self._ids = {number: id for number, id in self._ids.items() if number in present}
        self._lost = {id for id in self._ids.values() if id in people}
        self._ids = {number: id for number, id in self._ids.items() if id not in self._lost}
        others = {self._id(number): body for number, (_, body) in zip(numbers, spots, strict=True) if number}
        # who had the id is somebody else from the next moment on: between both there is nobody
        return {id: body for id, body in (people | others).items() if id not in self._lost}

    def _see(self, people: Mapping[str, Body], anybody: bool) -> None:
        for id in people:
            self._seen_us[id] = self._time_us
            self._seen_us.move_to_end(id)
        while anybody and self._seen_us:
            oldest = next(iter(self._seen_us))
            if self._time_us - self._seen_us[oldest] <= AWAY_US and len(self._seen_us) <= MOST_KNOWN:
                break
            del self._seen_us[oldest]

    def _id(self, number: int) -> str:
        """Of a person whom the tracker knows."""
        while number not in self._ids:
            self._given += 1
            if (id := str(self._given)) not in self._seen_us:
                self._ids[number] = id
        return self._ids[number]

    @staticmethod
    def _spot(body: Body) -> Spot | None:
        """None for somebody without a place."""
        places = body.values.reshape(len(body.skeleton.joints), -1)
        seen = np.all(np.isfinite(places), axis=1)
        if not seen.any():
            return None
        hips = [hip for hip in _hips_of(body.skeleton) if seen[hip]]
        pelvis = places[hips or np.flatnonzero(seen)].mean(axis=0)
        there = places[seen]
        return Spot(tuple(pelvis.tolist()), float((there.max(axis=0) - there.min(axis=0)).max()))


@lru_cache(64)
def _hips_of(skeleton: Skeleton) -> tuple[int, ...]:
    """Rows of the joints that are hips; none where no name says so."""
    _, found = find_joints(skeleton.joints)
    names = {joint for hip in ("left_hip", "right_hip") for joint, _ in next(iter(found.get(hip, ())), ())}
    return tuple(row for row, joint in enumerate(skeleton.joints) if joint in names)
