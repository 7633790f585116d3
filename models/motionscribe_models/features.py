"""From raw frames (K, D) to what the network sees (K, F), the same way in training and in serving.

Two steps, because time is resampled between them: `pose` turns raw frames into values that may be interpolated
linearly, `features` turns poses on the model's even time grid into features that do not depend on where the
performer stands or which way they face. Features are raw: the network's own graph normalises them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_models.resampling import Resampler
from motionscribe_models.rotations import quaternion_length, quaternion_matrix, rotation_matrix, rotation_vector
from motionscribe_models.skeleton import Skeleton

Array = NDArray[np.float64]

FASTEST = 12.0
"""Root speeds are clipped to this many m/s and rad/s: faster is a tracking error, not a person."""

ROOT_SHARE = 0.6
SMALLEST = 0.05
"""A root feature's scale is this share of its spread, and of at least this spread."""

TINY = 1e-12
AFTER, BEFORE = [1, 2, 0], [2, 0, 1]
"""Of each axis."""

STILL = 1e-4
"""A joint whose columns all vary by less than this (standard deviation, radians) does not move."""


@dataclass(frozen=True)
class FeatureMap:
    """Features of one skeleton; `joints` are the indices of the joints whose rotation (or position) is used."""

    skeleton: Skeleton
    joints: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.joints or any(not 0 <= j < len(self.skeleton.joints) for j in self.joints):
            raise LayoutError(f"{self.skeleton.name}: expected joint indices below {len(self.skeleton.joints)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the F features, in order: `<joint>.<what>`."""
        names = [self.skeleton.joints[j] for j in self.joints]
        match self.skeleton.representation:
            case "features":
                return tuple(names)
            case "positions":
                own = [f"{n}.{a}" for n in names for a in ("x", "y", "z")]
                return (*own, "root.height", *(f"root.v{a}" for a in "xyz"))
            case _:
                own = [f"{n}.r{i}" for n in names for i in range(6)]
                root = ("upx", "upy", "upz", "height", "vx", "vy", "vz", "wx", "wy", "wz")
                return (*own, *(f"root.{r}" for r in root))

    @property
    def width(self) -> int:
        """F, the number of features."""
        return len(self.names)

    @property
    def rates(self) -> int:
        """How many features, the last ones, are per second."""
        return {"features": 0, "positions": 3}.get(self.skeleton.representation, 6)

    @property
    def joint_of(self) -> NDArray[np.int64]:
        """(F,) index into skeleton.joints of the joint that each feature speaks of."""
        match self.skeleton.representation:
            case "features":
                per_joint, root = 1, 0
            case "positions":
                per_joint, root = 3, 4
            case _:
                per_joint, root = 6, 10
        return np.array([j for j in self.joints for _ in range(per_joint)] + [0] * root)

    def normalisation(self, sequences: Sequence[NDArray[np.floating]]) -> tuple[Array, Array]:
        """Mean (F,) and scale (F,) of feature sequences (m, F), by which the network normalises.

        Joint features share one scale, so that a hip outweighs a finger as it does in motion: with a scale each, labels
        of CMU subject 86 were 6 points less accurate. Each root feature has its own, smaller one: they are ten
        against a hundred and more.
        """
        if self.skeleton.representation == "features":
            return mean_and_scale(sequences)
        everything = np.concatenate(sequences).astype(np.float64)
        mean, scale = everything.mean(axis=0), everything.std(axis=0)
        root = np.array([name.startswith("root.") for name in self.names])
        scale[~root] = np.sqrt(np.square(scale[~root]).mean())
        scale[root] = ROOT_SHARE * np.maximum(scale[root], SMALLEST)
        return mean, scale

    def check(self, frames: NDArray[np.floating]) -> None:
        """Raises LayoutError for raw frames (K, D) of a wrong width, or with a quaternion of length 0."""
        if frames.ndim != 2 or frames.shape[1] != self.skeleton.width:
            raise LayoutError(
                f"{self.skeleton.name}: expected frames of {self.skeleton.width} columns, got shape {frames.shape}"
            )
        if self.skeleton.representation == "quaternion":
            quaternion_length(frames[:, 3:].reshape(len(frames), -1, 4))

    def pose(self, frames: NDArray[np.floating]) -> Array:
        """Raw frames (K, D) to interpolable poses (K, Q)."""
        values: Array = frames.astype(np.float64)
        joints = list(self.joints)
        match self.skeleton.representation:
            case "features":
                return values[:, joints]
            case "positions":
                positions = values.reshape(len(values), -1, 3) * self.skeleton.metres_per_unit
                relative = positions[:, joints] - positions[:, :1]
                return np.hstack([relative.reshape(len(values), -1), positions[:, 0]])
            case "expmap":
                rotations = rotation_matrix(values[:, 3:].reshape(len(values), -1, 3))
            case "quaternion":
                rotations = quaternion_matrix(values[:, 3:].reshape(len(values), -1, 4))
        root = rotations[:, 0].swapaxes(1, 2) if self.skeleton.inverted else rotations[:, 0]
        return np.hstack(
            [
                rotations[:, joints, :, :2].reshape(len(values), -1),
                root.reshape(len(values), 9),
                values[:, :3] * self.skeleton.metres_per_unit,
            ]
        )

    def poses_at(self, frames: NDArray[np.floating], left: ArrayLike, share: ArrayLike) -> Array:
        """Poses (g, Q) at grid points: of the frames `left` (g,), or a `share` (g,) of the way to the one after."""
        left, share = np.asarray(left, np.int64), np.asarray(share)
        poses = self.pose(frames[left])
        between = np.flatnonzero(share)
        if len(between):
            following = self.pose(frames[left[between] + 1])
            poses[between] += share[between, None] * (following - poses[between])
        return poses

    def features(self, poses: Array, before: Array, period_s: float) -> NDArray[np.float32]:
        """Poses (n, Q) to features (n, F); `before` (n, Q) are those one period earlier, after a restart the same."""
        if self.skeleton.representation == "features":
            return poses.astype(np.float32)
        velocity = (poses[:, -3:] - before[:, -3:]) / period_s
        height = poses[:, -3:][:, self.skeleton.up : self.skeleton.up + 1]
        if self.skeleton.representation == "positions":
            own = poses[:, :-3]
            return np.hstack([own, height, velocity.clip(-FASTEST, FASTEST)]).astype(np.float32)
        own = poses[:, :-12]
        root, earlier = (_orthonormal(rows[:, -12:-3].reshape(-1, 3, 3)) for rows in (poses, before))
        # world to body: the transpose of body to world
        turning = rotation_vector(earlier.swapaxes(1, 2) @ root) / period_s
        moving = np.einsum("kwb,kw->kb", root, velocity)
        up = root[:, self.skeleton.up, :]
        speeds = np.hstack([moving, turning]).clip(-FASTEST, FASTEST)
        return np.hstack([own, up, height, speeds]).astype(np.float32)


def _orthonormal(matrices: Array) -> Array:
    """(K, 3, 3) interpolated rotations back to rotations, by Gram-Schmidt on the columns.

    Half way between opposite rotations lies none: what comes out there is finite, no more.
    """
    first, second = _unit(matrices[:, :, 0]), matrices[:, :, 1]
    second = _unit(second - (first * second).sum(1, keepdims=True) * first)
    third = first[:, AFTER] * second[:, BEFORE] - first[:, BEFORE] * second[:, AFTER]  # np.cross is slow on few rows
    return np.stack([first, second, third], axis=2)


def _unit(vectors: Array) -> Array:
    """(K, 3) vectors to length 1, but for those of length 0."""
    unit: Array = vectors / np.maximum(np.sqrt((vectors * vectors).sum(1, keepdims=True)), TINY)
    return unit


def mean_and_scale(sequences: Sequence[NDArray[np.floating]]) -> tuple[Array, Array]:
    """Mean (F,) and deviation (F,) of each feature of sequences (m, F); 1 for one that only rounding varies."""
    everything = np.concatenate(sequences).astype(np.float64)
    mean, deviation = everything.mean(axis=0), everything.std(axis=0)
    return mean, np.where(deviation > 1e-6 * np.abs(mean), deviation, 1.0)


def recording_features(
    feature_map: FeatureMap, frames: NDArray[np.floating], timestamps_us: NDArray[np.int64], rate_hz: float
) -> NDArray[np.float32]:
    """A whole recording (n, D) at its own times to features (m, F) at `rate_hz`: what a session would compute."""
    feature_map.check(frames)
    placed = Resampler(rate_hz).push(timestamps_us.tolist())
    poses = feature_map.poses_at(frames, placed.left, placed.share)
    return feature_map.features(poses, preceding(poses), 1.0 / rate_hz)


def preceding(poses: Array) -> Array:
    """The pose before each of `poses` (n, Q), n >= 1; the first one is its own."""
    return np.concatenate([poses[:1], poses[:-1]])


def moving_joints(skeleton: Skeleton, recordings: Sequence[NDArray[np.floating]]) -> tuple[int, ...]:
    """Indices of the joints that move in any of `recordings` (n, D); not the root, which has features of its own."""
    spread = np.max([frames.std(axis=0) for frames in recordings], axis=0)
    match skeleton.representation:
        case "features":
            return tuple(np.flatnonzero(spread > STILL).tolist())
        case "positions":
            return tuple(range(1, len(skeleton.joints)))
        case "expmap":
            per_joint = spread[3:].reshape(-1, 3).max(axis=1)
        case "quaternion":
            per_joint = spread[3:].reshape(-1, 4).max(axis=1)
    return tuple(j for j in np.flatnonzero(per_joint > STILL).tolist() if j > 0)
