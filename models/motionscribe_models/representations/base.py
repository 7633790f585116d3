"""What a representation is: the meaning of the D numbers of a raw frame, and the F features that are made of them.

In: raw frames (K, D), or poses (K, Q), or features (K, F), with the skeleton that they belong to. Out: the next of the
three, or joint positions, or the mirror image. Letters: K frames, D columns, J joints, Q numbers of a pose, F features.
A pose is what may be interpolated linearly, because time is resampled between raw frames and features.

An object has no state: one serves all streams and threads. What features need of a stream's past (the pose before, a
running body size, a floor) is a memory (m,), which the caller keeps, saves, and replaces by NOTHING_BEFORE at a gap.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.normalisation import mean_and_shared_scale

Indices = NDArray[np.int64]
Vector = tuple[float, float, float]

NOTHING_BEFORE: Array = np.empty(0)
"""The memory of a stream that begins."""
FASTEST = 12.0
"""Root speeds are clipped to this many m/s and rad/s: faster is a tracking error, not a person."""
STILL = 1e-4
"""A joint whose columns all vary by less than this (standard deviation, radians) does not move."""


class Layout(Protocol):
    """What a representation reads of a skeleton; skeleton.py describes each."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the J joints."""

    @property
    def parents(self) -> tuple[int, ...]:
        """(J,) index of each joint's parent, -1 for a root."""

    @property
    def metres_per_unit(self) -> float:
        """Size of the unit of places."""

    @property
    def up(self) -> int:
        """Index of the up axis."""

    @property
    def up_sign(self) -> int:
        """1 where the up axis points up, -1 where it points down."""

    @property
    def inverted(self) -> bool:
        """True where a stored rotation maps the parent's axes to the joint's."""

    @property
    def offsets(self) -> tuple[Vector, ...]:
        """(J,) vectors from parent to joint at rest, in units; empty when unknown."""

    @property
    def axes(self) -> tuple[Vector, ...]:
        """(J,) axes of an Acclaim skeleton as rotation vectors; empty for all others."""


class Representation(ABC):
    """The meaning of raw numbers. Features are those of chosen joints, then those of the root."""

    joint_features: ClassVar[tuple[str, ...]]
    """Ending of the name of each feature of a joint: `<joint><ending>`."""
    root_features: ClassVar[tuple[str, ...]]
    """Names of the features of the root, after those of the joints."""
    rates: ClassVar[int]
    """How many features, the last ones, are per second."""
    may_be_lost: ClassVar[bool] = False
    """NaN in a recording says that a joint was not seen."""
    has_floor: ClassVar[bool] = False
    """The feature after those of the joints is the root's height above the floor, in sizes of the body."""
    has_levels: ClassVar[bool] = False
    """A column that nothing happens to stays near where it was, but for noise and drift."""
    still: ClassVar[float] = 0.0
    """A sensor whose numbers change by no more from one frame to the next stands still."""
    impossible: ClassVar[float] = math.inf
    """Acceleration of a sensor, per second squared, that no body has: the sensor is at fault."""

    @abstractmethod
    def columns(self, joints: Sequence[str]) -> tuple[str, ...]:
        """Names of the D columns of a raw frame, in order."""

    @abstractmethod
    def places(self, joints: int) -> range:
        """The first column of each x y z that is a place in the world, for a skeleton of J `joints`."""

    def check_joints(self, joints: Sequence[str]) -> None:  # noqa: B027  # most accept all names
        """Raises LayoutError for joints that a skeleton of this representation cannot have."""

    def check_chosen(self, joints: Sequence[int]) -> None:  # noqa: B027  # most accept all choices
        """Raises LayoutError for joints that features cannot be made of."""

    def check(self, frames: NDArray[np.floating]) -> None:  # noqa: B027  # most accept all numbers
        """Raises LayoutError for raw frames (K, D) that mean nothing; their width was checked before."""

    def shows(self, frames: NDArray[np.floating]) -> NDArray[np.bool_]:
        """(K,) which raw frames (K, D) show anything; the others are as if they had not come."""
        return np.ones(len(frames), bool)

    def unseen(self, frames: NDArray[np.floating], joints: int) -> NDArray[np.bool_]:
        """(K, J) which joints of a skeleton of J `joints` the raw frames (K, D) do not show."""
        return np.zeros((len(frames), joints), bool)

    @abstractmethod
    def moving_joints(self, spread: Array, joints: int) -> Indices:
        """Indices of the joints that move and are worth a feature, from the deviation (D,) of each column.

        The root is not among them where it has features of its own.
        """

    @abstractmethod
    def pose(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """Raw frames (K, D) to poses (K, Q) of the chosen joints and the root."""

    def sensors(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """Raw frames (K, D) to what B sensors say of the chosen joints, (K, B, d), before anything is held or smoothed.

        NaN is what was not seen. Here the columns of each joint, of which each has as many.
        """
        return values.reshape(len(values), len(layout.joints), -1)[:, joints]

    def sensor_joints(self, joints: Indices) -> Indices:
        """(B,) the joint that each sensor is of."""
        return joints

    @abstractmethod
    def follow(
        self, layout: Layout, memories: Sequence[Array], runs: Sequence[Array], period_s: float
    ) -> tuple[NDArray[np.float32], list[Array]]:
        """Runs of poses (n, Q), n >= 1, a period apart, to features: of the first run (n, F), then of the next.

        `memories` are of what came before each run; beside the features those after it.
        """

    def feature_names(self, names: Sequence[str]) -> tuple[str, ...]:
        """Names of the F features of joints of these names, in order."""
        own = (f"{name}{ending}" for name in names for ending in self.joint_features)
        return (*own, *self.root_features)

    def joint_of(self, joints: Sequence[int]) -> Indices:
        """(F,) the joint that each feature describes; 0, the root, for root features."""
        return np.array([j for j in joints for _ in self.joint_features] + [0] * len(self.root_features))

    def normalisation(self, sequences: Sequence[NDArray[np.floating]]) -> tuple[Array, Array]:
        """Mean (F,) and scale (F,) of feature sequences (m, F), by which the network normalises."""
        return mean_and_shared_scale(sequences, len(self.root_features))

    def figure(self, layout: Layout, joints: Indices, features: NDArray[np.floating]) -> Array | None:
        """Raw frames (K, D) of somebody who does on the spot what features (K, F) show; NaN where they do not tell.

        None where features do not say where joints are.
        """
        return None

    @abstractmethod
    def joint_positions(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """Raw frames (K, D) to positions (K, J, 3), in units. Raises LayoutError where joints have no known place."""

    @abstractmethod
    def mirrored(
        self, layout: Layout, joints: Sequence[int], partners: Sequence[int], features: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """Features (m, F) of `joints` as a mirror shows them, None where that cannot be known.

        `partners` (J,) holds for each joint the one of the other side; the partner of each of `joints` is among them.
        """


class ByTwoPoses(Representation):
    """Features of a frame need the pose one period earlier and no more, which is the memory."""

    @abstractmethod
    def features(self, layout: Layout, poses: Array, before: Array, period_s: float) -> NDArray[np.float32]:
        """Poses (K, Q) to features (K, F); `before` (K, Q) are the poses one period earlier."""

    def follow(
        self, layout: Layout, memories: Sequence[Array], runs: Sequence[Array], period_s: float
    ) -> tuple[NDArray[np.float32], list[Array]]:
        """The first pose of all is its own before."""
        before: list[Array] = []
        for memory, run in zip(memories, runs, strict=True):
            before += [memory[None] if len(memory) else run[:1], run[:-1]]
        features = self.features(layout, np.concatenate(runs), np.concatenate(before), period_s)
        return features, [run[-1].copy() for run in runs]
