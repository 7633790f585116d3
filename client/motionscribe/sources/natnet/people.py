"""What Motive sends of skeletons and marker sets, as bodies: names from definitions, places from frames.

Motive sends bones relative to their parents or in the room, as its user has chosen, and does not say which: a bone that
is where its definition says it is beside its parent is relative. Where nobody has a skeleton, each set of markers whose
names are those of a body is a person. Pure: no network, no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.moments import ANY_RATE_HZ, MOST_JOINTS, Body, seen_places
from motionscribe.sources.natnet.packets import TRACKED, Bones, Definitions, Frame
from motionscribe.sources.person_ids import person_ids
from motionscribe_models.arrays import Array
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.errors import LayoutError
from motionscribe_models.recordings.places import METRE, places_skeleton
from motionscribe_models.rotations import TINY, quaternion_matrix
from motionscribe_models.skeleton import Skeleton

ALL = "all"
"""A set that has the markers of all others again."""


@dataclass(frozen=True, eq=False)
class _Person:
    id: str
    skeleton: Skeleton
    bones: Bones | None = None
    """None of a set of markers."""

    @cached_property
    def levels(self) -> list[NDArray[np.intp]]:
        """Indices of the bones that are one, two, ... bones away from a root."""
        depths: list[int] = []
        for parent in self.skeleton.parents:
            depths.append(depths[parent] + 1 if parent >= 0 else 0)
        return [np.flatnonzero(np.array(depths) == depth) for depth in range(1, max(depths) + 1)]


class People:
    """Those whom `definitions` name, in a room whose up axis is `up`: `y` or `z`."""

    def __init__(self, definitions: Definitions, up: str) -> None:
        self.strange = 0
        """Skeletons that cannot be."""
        self._skeletons: dict[int, _Person] = {}
        self._sets: dict[str, _Person] = {}
        bones = definitions.skeletons
        ids = person_ids([one.name for one in bones.values()], list(bones))
        for (number, one), id in zip(bones.items(), ids, strict=True):
            try:
                skeleton = _skeleton(one.name, one.joints, up, one.parents)
            except LayoutError:
                self.strange += 1
            else:
                self._skeletons[number] = _Person(id, skeleton, one)
        sets = {} if bones else {name: names for name, names in definitions.marker_sets.items() if name != ALL}
        for (name, names), id in zip(sets.items(), person_ids(list(sets)), strict=True):
            try:
                skeleton = _skeleton(name, names, up)
                find_mapping(skeleton)
            except LayoutError:
                continue  # a thing
            self._sets[name] = _Person(id, skeleton)
        self._known = frozenset(definitions.marker_sets)

    def knows(self, frame: Frame) -> bool:
        """Whether a frame is of these people; else definitions must be asked for again."""
        return (
            not frame.models_changed
            and all(
                number in self._skeletons and len(bones) == len(self._skeletons[number].skeleton.joints)
                for number, bones in frame.skeletons.items()
            )
            and self._known >= frame.marker_sets.keys()
            and all(
                len(frame.marker_sets[name]) == len(person.skeleton.joints)
                for name, person in self._sets.items()
                if name in frame.marker_sets
            )
        )

    def bodies(self, frame: Frame) -> Iterator[Body]:
        """Who is in a frame. Those whom no definition fits are left out."""
        for number, bones in frame.skeletons.items():
            person = self._skeletons.get(number)
            if person and len(bones) == len(person.skeleton.joints):
                yield Body(person.skeleton, _places(person, bones), person=person.id)
        for name, markers in frame.marker_sets.items():
            person = self._sets.get(name)
            if person and len(markers) == len(person.skeleton.joints):
                seen = np.any(markers != 0, axis=1)  # zeros are said of one that is not seen
                yield Body(person.skeleton, seen_places(markers, seen), person=person.id)


def _skeleton(name: str, joints: tuple[str, ...], up: str, parents: tuple[int, ...] = ()) -> Skeleton:
    """Names of joints may begin with that of the person. Raises LayoutError."""
    for prefix in (f"{name}_", f"{name}:"):
        if all(joint.startswith(prefix) for joint in joints):
            joints = tuple(joint.removeprefix(prefix) for joint in joints)
    if not 0 < len(joints) <= MOST_JOINTS:
        raise LayoutError(f"{name}: expected from 1 to {MOST_JOINTS} joints, got {len(joints)}")
    return places_skeleton("natnet", joints, METRE, up, ANY_RATE_HZ, parents)


def _places(person: _Person, bones: NDArray[np.void]) -> NDArray[np.float32]:
    """(3 J,) in the room; NaN where a bone is not tracked."""
    tracked = (bones["flags"] & TRACKED).astype(bool)
    with np.errstate(all="ignore"):  # of damaged packets numbers may be anything
        places = bones["place"].astype(np.float64)
        if person.bones and _are_relative(person.bones, places, tracked):
            places = _in_the_room(person, places, bones["turn"].astype(np.float64))
        return seen_places(places, tracked)


def _are_relative(bones: Bones, places: Array, tracked: NDArray[np.bool_]) -> bool:
    """Whether bones lie where their offsets say, or rather as far from their parents' places as these are long."""
    parents = np.array(bones.parents)
    chosen = np.flatnonzero((parents >= 0) & tracked & tracked[parents])
    if not len(chosen):
        return True
    offsets = bones.offsets[chosen]
    steps = places[chosen] - places[parents[chosen]]
    relative = np.linalg.norm(places[chosen] - offsets, axis=1)
    absolute = np.abs(np.linalg.norm(steps, axis=1) - np.linalg.norm(offsets, axis=1))
    return bool(np.median(relative) <= np.median(absolute))


def _in_the_room(person: _Person, places: Array, turns: Array) -> Array:
    """(J, 3) of places and rotations x y z w that are relative to the parent's."""
    turns[np.linalg.norm(turns, axis=1) < TINY] = np.nan
    rotations, places = quaternion_matrix(turns[:, [3, 0, 1, 2]]), places.copy()
    parents = np.array(person.skeleton.parents)
    for level in person.levels:
        above = rotations[parents[level]]
        places[level] = places[parents[level]] + np.einsum("bij,bj->bi", above, places[level])
        rotations[level] = above @ rotations[level]
    return places
