"""Rotations as vectors, quaternions and matrices, vectorised over any leading axes, in float64.

A rotation vector ("exponential map") is axis times angle in radians; a matrix R is active, `R @ v` turns v. Which way
round a rotation is stored is the skeleton's matter (`Skeleton.inverted`), not this file's.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError

TINY = 1e-12
AFTER, BEFORE = [1, 2, 0], [2, 0, 1]
"""The axis after, and the one before, each of x y z."""


def rotation_matrix(vectors: NDArray[np.floating]) -> Array:
    """Rotation vectors (..., 3) in radians to matrices (..., 3, 3), by Rodrigues' formula."""
    vectors = vectors.astype(np.float64)
    squared = (vectors * vectors).sum(axis=-1, keepdims=True)
    angle = np.sqrt(squared)
    sine = np.sinc(angle / np.pi)  # sin(a) / a, 1 at 0
    versine = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2  # (1 - cos(a)) / a^2, 1/2 at 0
    matrices: Array = (versine * vectors)[..., :, None] * vectors[..., None, :]
    flat = matrices.reshape(*vectors.shape[:-1], 9)
    flat[..., ::4] += 1.0 - versine * squared
    turned = sine * vectors
    flat[..., [7, 2, 3]] += turned
    flat[..., [5, 6, 1]] -= turned
    return matrices


def quaternion_matrix(quaternions: NDArray[np.floating]) -> Array:
    """Quaternions (..., 4) as w x y z, of any length, to matrices (..., 3, 3). Raises LayoutError for length 0."""
    w, x, y, z = np.moveaxis(quaternions / quaternion_length(quaternions), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def quaternion_length(quaternions: NDArray[np.floating]) -> Array:
    """(..., 1) of quaternions (..., 4), in float64. Raises LayoutError for length 0."""
    length: Array = np.linalg.norm(quaternions.astype(np.float64), axis=-1, keepdims=True)
    if np.any(length < TINY):
        raise LayoutError("expected quaternions w x y z of length 1, got one of length 0")
    return length


def rotation_vector(matrices: NDArray[np.floating]) -> Array:
    """Matrices (..., 3, 3) to rotation vectors (..., 3) of length 0 to pi; exact at both ends."""
    m = matrices.astype(np.float64).reshape(-1, 9).T
    xx, yy, zz = m[0], m[4], m[8]
    xy, xz, yz = m[1] + m[3], m[2] + m[6], m[5] + m[7]
    wx, wy, wz = m[7] - m[5], m[2] - m[6], m[3] - m[1]
    # four multiples of the quaternion, each times 4 of its own leading component: the longest is never near 0
    candidates = np.array(
        [
            [1 + xx + yy + zz, wx, wy, wz],
            [wx, 1 + xx - yy - zz, xy, xz],
            [wy, xy, 1 - xx + yy - zz, yz],
            [wz, xz, yz, 1 - xx - yy + zz],
        ]
    )
    chosen = candidates[range(4), range(4)].argmax(axis=0)
    quaternion = candidates[chosen, :, np.arange(len(chosen))]
    quaternion /= np.linalg.norm(quaternion, axis=-1, keepdims=True)
    quaternion *= np.where(quaternion[..., :1] < 0, -1.0, 1.0)
    return quaternion_vector(quaternion).reshape(*matrices.shape[:-2], 3)


def quaternion_vector(quaternions: NDArray[np.floating]) -> Array:
    """Unit quaternions (..., 4) as w x y z, w not below 0, to rotation vectors (..., 3)."""
    half_sine = np.linalg.norm(quaternions[..., 1:], axis=-1)
    angle = 2.0 * np.arctan2(half_sine, quaternions[..., 0])
    small = half_sine < 1e-12
    scale = np.where(small, 2.0, angle / np.where(small, 1.0, half_sine))
    return np.asarray(quaternions[..., 1:] * scale[..., None], dtype=np.float64)


def euler_vector(degrees: NDArray[np.floating], order: str = "xyz") -> Array:
    """Degrees (..., 3) about fixed axes x, y, z, turned in `order`, to rotation vectors (..., 3) of length 0 to pi."""
    if order != "xyz":
        # with its axes renamed, any order is xyz; where that makes a left-handed system, all turns are the other way
        axes = ["xyz".index(axis) for axis in order]
        hand = 1.0 if axes[1] == AFTER[axes[0]] else -1.0
        vectors = np.empty(degrees.shape)
        vectors[..., axes] = hand * euler_vector(hand * degrees[..., axes])
        return vectors
    half = np.deg2rad(degrees.astype(np.float64)) / 2
    cx, cy, cz = np.moveaxis(np.cos(half), -1, 0)
    sx, sy, sz = np.moveaxis(np.sin(half), -1, 0)
    quaternion = np.stack(
        [
            cz * cy * cx + sz * sy * sx,
            cz * cy * sx - sz * sy * cx,
            cz * sy * cx + sz * cy * sx,
            sz * cy * cx - cz * sy * sx,
        ],
        axis=-1,
    )
    return quaternion_vector(quaternion * np.where(quaternion[..., :1] < 0, -1.0, 1.0))


def rotation_degrees(matrices: NDArray[np.floating]) -> Array:
    """Matrices (..., 3, 3) to degrees (..., 3) about their own axes z, then y, then x: those that BVH files turn by."""
    m: Array = np.moveaxis(matrices.astype(np.float64), (-2, -1), (0, 1))
    level = np.hypot(m[0, 0], m[1, 0])
    upright = level < 1e-9  # y at 90 degrees: z and x are one turn, which is taken for x
    z = np.where(upright, 0.0, np.arctan2(m[1, 0], m[0, 0]))
    x = np.where(upright, np.arctan2(-m[1, 2], m[1, 1]), np.arctan2(m[2, 1], m[2, 2]))
    return np.asarray(np.rad2deg(np.stack([z, np.arctan2(-m[2, 0], level), x], axis=-1)), np.float64)


def orthonormal(matrices: Array) -> Array:
    """(K, 3, 3) interpolated rotations back to rotations, by Gram-Schmidt on the columns.

    There is no rotation half way between opposite ones: what comes out there is finite, no more.
    """
    first, second = _unit(matrices[:, :, 0]), matrices[:, :, 1]
    second = _unit(second - (first * second).sum(1, keepdims=True) * first)
    third = first[:, AFTER] * second[:, BEFORE] - first[:, BEFORE] * second[:, AFTER]  # np.cross is slow on few rows
    return np.stack([first, second, third], axis=2)


def _unit(vectors: Array) -> Array:
    """(K, 3) vectors to length 1, except those of length 0."""
    unit: Array = vectors / np.maximum(np.sqrt((vectors * vectors).sum(1, keepdims=True)), TINY)
    return unit
