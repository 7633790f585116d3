"""From raw frames (K, D) to what the network sees (K, F), the same way in training and in serving.

Two steps, because time is resampled between them: `pose` turns raw frames into values that may be interpolated
linearly, `features` turns poses on the model's even time grid into features that do not depend on where the
performer stands or which way they face. How each is computed is the representation's matter (representations/).
Features are raw: the network's own graph normalises them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.representations import REPRESENTATIONS, Representation
from motionscribe_models.representations.base import NOTHING_BEFORE
from motionscribe_models.resampling import Resampler
from motionscribe_models.skeleton import Skeleton


@dataclass(frozen=True)
class FeatureMap:
    """Features of one skeleton; `joints` are the indices of the joints whose rotation (or position) is used."""

    skeleton: Skeleton
    joints: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.joints or any(not 0 <= j < len(self.skeleton.joints) for j in self.joints):
            raise LayoutError(f"{self.skeleton.name}: expected joint indices below {len(self.skeleton.joints)}")
        self.representation.check_chosen(self.joints)

    @cached_property
    def representation(self) -> Representation:
        """The class that knows what the skeleton's columns mean."""
        return REPRESENTATIONS[self.skeleton.representation]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the F features, in order: `<joint>.<what>`."""
        return self.representation.feature_names([self.skeleton.joints[j] for j in self.joints])

    @property
    def width(self) -> int:
        """F, the number of features."""
        return len(self.names)

    @property
    def rates(self) -> int:
        """How many features, the last ones, are per second."""
        return self.representation.rates

    @property
    def joint_of(self) -> NDArray[np.int64]:
        """(F,) index into skeleton.joints of the joint that each feature describes."""
        return self.representation.joint_of(self.joints)

    def normalisation(self, sequences: Sequence[NDArray[np.floating]]) -> tuple[Array, Array]:
        """Mean (F,) and scale (F,) of feature sequences (m, F), by which the network normalises."""
        return self.representation.normalisation(sequences)

    def check(self, frames: NDArray[np.floating]) -> None:
        """Raises LayoutError for raw frames (K, D) of a wrong width, or with numbers that mean nothing."""
        self.skeleton.check_width(frames)
        self.representation.check(frames)

    def pose(self, frames: NDArray[np.floating]) -> Array:
        """Raw frames (K, D) to interpolable poses (K, Q)."""
        return self.representation.pose(self.skeleton, self._chosen, frames.astype(np.float64))

    def sensors(self, frames: NDArray[np.floating]) -> Array:
        """Raw frames (K, D) to what B sensors say, (K, B, d), before anything is held or smoothed; NaN is not seen."""
        return self.representation.sensors(self.skeleton, self._chosen, frames.astype(np.float64))

    @property
    def sensor_joints(self) -> NDArray[np.int64]:
        """(B,) index into skeleton.joints of the joint that each sensor is of."""
        return self.representation.sensor_joints(self._chosen)

    def poses_at(self, frames: NDArray[np.floating], left: ArrayLike, share: ArrayLike) -> Array:
        """Poses (g, Q) at grid points: of the frames `left` (g,), or a `share` (g,) of the way to the one after."""
        left, share = np.asarray(left, np.int64), np.asarray(share)
        poses = self.pose(frames[left])
        between = np.flatnonzero(share)
        if len(between):
            following = self.pose(frames[left[between] + 1])
            poses[between] += share[between, None] * (following - poses[between])
        return poses

    def features(self, poses: Array, period_s: float) -> NDArray[np.float32]:
        """The poses (n, Q) of a stream from its beginning to features (n, F)."""
        features, _ = self.follow([NOTHING_BEFORE], [poses], period_s)
        return features

    def follow(
        self, memories: Sequence[Array], runs: Sequence[Array], period_s: float
    ) -> tuple[NDArray[np.float32], list[Array]]:
        """Runs of poses (n, Q) to features, one run's after another's; `memories` (m,) before each run to those after.

        That of a stream that begins is NOTHING_BEFORE.
        """
        return self.representation.follow(self.skeleton, memories, runs, period_s)

    def figure(self, features: NDArray[np.floating]) -> Array | None:
        """Raw frames (K, D) of somebody who does on the spot what features (K, F) show, None where they do not say."""
        return self.representation.figure(self.skeleton, self._chosen, features)

    @cached_property
    def _chosen(self) -> NDArray[np.int64]:
        return np.array(self.joints)


def recording_features(
    feature_map: FeatureMap, frames: NDArray[np.floating], timestamps_us: NDArray[np.int64], rate_hz: float
) -> NDArray[np.float32]:
    """A whole recording (n, D) at its own times to features (m, F) at `rate_hz`: what a session would compute."""
    return runs_features(feature_map, [(frames, timestamps_us)], rate_hz)[0]


def runs_features(
    feature_map: FeatureMap,
    runs: Sequence[tuple[NDArray[np.floating], NDArray[np.int64]]],
    rate_hz: float,
) -> list[NDArray[np.float32]]:
    """Features of several recordings, or of parts without gaps: together they cost little more than the longest."""
    poses = []
    for frames, timestamps_us in runs:
        feature_map.check(frames)
        placed = Resampler(rate_hz).push(timestamps_us.tolist())
        poses.append(feature_map.poses_at(frames, placed.left, placed.share))
    features, _ = feature_map.follow([NOTHING_BEFORE] * len(poses), poses, 1.0 / rate_hz)
    return np.split(features, np.cumsum([len(run) for run in poses])[:-1])


def moving_joints(skeleton: Skeleton, recordings: Sequence[NDArray[np.floating]]) -> tuple[int, ...]:
    """Indices of the joints that move in any of `recordings` (n, D); not a root that has features of its own."""
    spread = np.max([frames.std(axis=0) for frames in recordings], axis=0)
    moving = REPRESENTATIONS[skeleton.representation].moving_joints(spread, len(skeleton.joints))
    return tuple(moving.tolist())
