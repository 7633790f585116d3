"""Which body of a feed is whose, from moment to moment: by the sender's own ids, else by a tracker.

In: moments. Out: of each moment the persons by id, and who is still awaited. Whoever is away for two seconds while
others are there has left; a feed that is silent says nothing of anybody. Pure: no network, no clock.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.tracker import AWAY_US, Spot, Tracker
from motionscribe_models.body.names import find_joints
from motionscribe_models.skeleton import Skeleton


class Crowd:
    """Follows the people of one feed."""

    def __init__(self) -> None:
        self._tracker = Tracker()
        self._seen_us: dict[str, int] = {}
        """When each person with an id of the sender's was there."""

    @property
    def present(self) -> frozenset[str]:
        """Who was there in the newest moment, or not longer than two seconds before."""
        return frozenset(self._seen_us) | {str(number) for number in self._tracker.present}

    def take(self, moment: Moment) -> Mapping[str, Body]:
        """Who is there, by id: the sender's own, or 1, 2, 3, ... Bodies that are nobody yet are left out."""
        people = {body.person: body for body in moment.bodies if body.person}
        self._seen_us |= dict.fromkeys(people, moment.arrived_us)
        if moment.bodies:
            away = moment.arrived_us - AWAY_US
            self._seen_us = {person: seen for person, seen in self._seen_us.items() if seen >= away}
        spots = [(spot, body) for body in moment.bodies if not body.person and (spot := self._spot(body))]
        if spots or self._tracker.present:
            numbers = self._tracker.follow(moment.arrived_us, [spot for spot, _ in spots])
            people |= {str(number): body for number, (_, body) in zip(numbers, spots, strict=True) if number}
        return people

    @staticmethod
    def _spot(body: Body) -> Spot | None:
        """None for somebody without a place."""
        places = body.values.reshape(len(body.skeleton.joints), -1)
        seen = np.all(np.isfinite(places), axis=1)
        if not seen.any():
            return None
        hips = [hip for hip in _hips_of(body.skeleton) if seen[hip]]
        pelvis = places[hips or np.flatnonzero(seen)].mean(axis=0)
        return Spot(tuple(pelvis.tolist()), float(np.ptp(places[seen], axis=0).max()))


@lru_cache(64)
def _hips_of(skeleton: Skeleton) -> tuple[int, ...]:
    """Rows of the joints that are hips; none where no name says so."""
    _, found = find_joints(skeleton.joints)
    names = {joint for hip in ("left_hip", "right_hip") for joint, _ in next(iter(found.get(hip, ())), ())}
    return tuple(row for row, joint in enumerate(skeleton.joints) if joint in names)
