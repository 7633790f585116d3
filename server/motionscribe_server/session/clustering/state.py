"""Clusters, their changes and their errors, as values without behaviour.

ClusterState is what a session lists and what the store keeps. Centres are (d,) in units of the embedding, weights in
seconds of motion, times in microseconds of the sender's clock.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motionscribe_models.errors import ContractError
from motionscribe_models.state import State

WARM = 1.0
"""Seconds of weight of a warm cluster: it names a motion, and the performer's own motion soon outweighs it. With 5 s
boundaries of seven trials of CMU subject 86 were found 1 to 2 points less well."""


class ClusterError(ContractError, ValueError):
    """A point, an id or a setting that a clusterer cannot take; the message says what was expected and what came."""


class UnknownClusterError(ClusterError, LookupError):
    """No cluster of this id: never born, or faded."""


@dataclass(frozen=True)
class Exemplar:
    """A short clip of a segment of a cluster (session/exemplars.py)."""

    start_us: int
    """When the clip's segment began."""
    distance: float
    """Distance of the segment's mean from the cluster's centre when it ended; infinite where that is not known."""
    values: bytes
    """K frames of D columns of the model's skeleton, float16, little-endian."""


@dataclass(frozen=True, eq=False)
class ClusterState:
    """One cluster as a session lists it and as the store keeps it; there is no second form.

    A clusterer built from the states (and `next_id`) of another predicts what that one predicts.
    """

    id: int
    name: str
    """Empty when none."""
    merged_into: int
    """The cluster that this one is part of, 0 when it stands for itself. Never a cluster that was merged itself."""
    warm: bool
    """True for what came with the model: never dropped, never merged away but by the user."""
    centre: NDArray[np.float64]
    """(d,), read-only."""
    weight: float
    """Faded seconds of motion behind the centre; 0 when the centre is gone and only the id is remembered."""
    created_us: int
    """End of the segment that it was born with; 0 when warm."""
    last_seen_us: int
    segments: int
    """Learnt segments, not faded, those of merged clusters included."""
    seconds: float
    """Learnt seconds, likewise."""
    guessed: bool = False
    """The name is one that the server gave (session/default_names.py), and no user's."""
    exemplars: tuple[Exemplar, ...] = ()
    """Pictures for people: clusters that differ in them alone are equal."""

    def __post_init__(self) -> None:
        centre = np.array(self.centre, np.float64)
        centre.setflags(write=False)
        object.__setattr__(self, "centre", centre)
        if self.id < 1 or self.merged_into < 0 or self.merged_into == self.id:
            raise ClusterError(f"expected id >= 1 merged into another or 0, got {self.id} into {self.merged_into}")
        if centre.ndim != 1 or not np.isfinite(centre).all():
            raise ClusterError(
                f"cluster {self.id}: expected a finite centre (d,), got {centre} of shape {centre.shape}"
            )
        if not (0 <= self.weight < math.inf and 0 <= self.seconds < math.inf and self.segments >= 0):
            raise ClusterError(
                f"cluster {self.id}: expected finite weight, seconds and segments >= 0, "
                f"got {self.weight}, {self.seconds}, {self.segments}"
            )

    @property
    def given_name(self) -> str:
        """The user's."""
        return "" if self.guessed else self.name

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ClusterState):
            return NotImplemented
        mine, its = dict(vars(self)), dict(vars(other))
        del mine["exemplars"], its["exemplars"]
        return np.array_equal(mine.pop("centre"), its.pop("centre")) and mine == its

    def __hash__(self) -> int:
        return hash((self.id, self.weight, self.last_seen_us))


def warm_clusters(centres: ArrayLike) -> list[ClusterState]:
    """Clusters 1..n from the centres (n,d) of a model."""
    rows = np.asarray(centres, np.float64)
    if rows.size == 0:
        return []
    if rows.ndim != 2:
        raise ClusterError(f"expected warm centres (n, d), got shape {rows.shape}")
    return [ClusterState(id, "", 0, True, row, WARM, 0, 0, 0, 0.0) for id, row in enumerate(rows, 1)]


def initial_clusters(warm_centres: ArrayLike, stored: Sequence[ClusterState]) -> list[ClusterState]:
    """What a session begins with: its model's centres (n,d) as clusters 1..n, and those stored of an earlier session.

    A stored cluster takes the place of the warm one with its id.
    """
    start = {state.id: state for state in warm_clusters(warm_centres)}
    return list((start | {state.id: state for state in stored}).values())


COLUMNS = [field.name for field in fields(ClusterState) if field.name != "exemplars"]


def columns_of(states: Sequence[ClusterState]) -> State:
    """Clusters without exemplars as a table of plain values; centres are one array (n,d). `states_from` reads it."""
    table: State = {name: [getattr(state, name) for state in states] for name in COLUMNS}
    return table | {"centre": np.array(table["centre"], np.float64)}


def states_from(columns: State) -> list[ClusterState]:
    """The clusters of a table, in its order. Raises ClusterError for one that cannot be."""
    rows = zip(*(columns[name] for name in COLUMNS), strict=True)
    return [ClusterState(**dict(zip(COLUMNS, row, strict=True))) for row in rows]


@dataclass(frozen=True, slots=True)
class Created:
    """Cluster `id` was born."""

    id: int


@dataclass(frozen=True, slots=True)
class Merged:
    """Cluster `source` is part of `target` from now on."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Named:
    """A user gave cluster `id` a name, or took it away."""

    id: int


Change = Created | Merged | Named
