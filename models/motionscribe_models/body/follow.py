"""One step in time of many bodies at once: where lost joints are, which way is up and forward, how large each body is.

In: places (S, 13, 3) of the joints of S streams, metres, NaN where one was not seen, and a memory (S, WIDTH) of what
came before. Out: the joints and the pelvis' motion in each body's own axes, in units of its size. All is causal and
forgets with HALF_LIFE_S: a recording is followed as a feed is.
"""

from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.body import running_quantile
from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.proportions import (
    L_ANKLE,
    L_HIP,
    L_SHOULDER,
    LEGS,
    R_ANKLE,
    R_HIP,
    R_SHOULDER,
    REST,
    SIDES,
    TRUST,
)
from motionscribe_models.body.running_quantile import RunningQuantile
from motionscribe_models.body.size import measure, running_size

HOLD_S = 0.5
"""A joint that is lost keeps its place relative to the body for so long, then drifts to its place in REST."""
DRIFT_S = 0.5
SMOOTH_S = 0.15
"""Of the places of joints: cameras tremble."""
TURN_S = 0.1
"""Of the turning rate. All three are time constants."""
HALF_LIFE_S = 60.0
STRAIGHT = 0.1
"""A body whose neck is nearer to its feet by this share than it could be says little of which way is up."""
LEVEL_SHARE = 0.25
"""The heading is that of hips and shoulders while at least this share of their breadth is level."""
FLOOR_SHARE = 0.05
"""The floor is where the lower ankle is for this share of the time."""
FASTEST = 12.0
"""Sizes and radians a second: what is faster is a fault of the tracking."""

FLOORS = RunningQuantile(0.03)
"""Of heights, metres."""

_WIDTHS = {
    "begun": 1,
    "places": 3 * len(SEEN),
    "own": 3 * len(SEEN),
    "lost_s": len(SEEN),
    "side": 3,
    "turning": 1,
    "up": 3,
    "sizes": running_quantile.WIDTH,
    "floors": running_quantile.WIDTH,
}
_ENDS = list(accumulate(_WIDTHS.values(), initial=0))
_SLICES = {name: slice(start, end) for name, (start, end) in zip(_WIDTHS, pairwise(_ENDS), strict=True)}
WIDTH = _ENDS[-1]
"""Numbers of a memory."""


def begin() -> Array:
    """The memory (WIDTH,) of a body that nobody has seen yet."""
    memory = np.zeros(WIDTH)
    memory[_SLICES["own"]] = REST.ravel()
    memory[_SLICES["lost_s"]] = 2 * HOLD_S
    memory[_SLICES["side"]] = 1, 0, 0
    return memory


def step(memory: Array, joints: Array, level: NDArray[np.bool_], period_s: float, flat: bool = False) -> Array:
    """Changes `memory`; returns (S, 44): 13 joints x y z, then the pelvis' height, velocity x y z and turning rate.

    `level` (S,) says whose y axis is truly vertical; the others are levelled by how the body stands over its feet.
    `flat` are bodies in an image, z = 0, in any unit: their axes are the image's, turned in it until they are level.
    """
    part = {name: memory[:, place] for name, place in _SLICES.items()}
    begun = part["begun"][:, 0] > 0
    places, own = (part[name].reshape(-1, len(SEEN), 3) for name in ("places", "own"))
    keep = 0.5 ** (period_s / HALF_LIFE_S)

    seen = np.isfinite(joints.sum(axis=2))
    up = _upright(part["up"], joints, level, keep)
    if not flat:
        joints = _levelled(joints, up)
    if not begun.all():
        _begin_at(own, joints, seen, ~begun)
    joints = np.where(seen[..., None], joints, _expected(joints, seen, places, own, part["side"], flat))
    smooth = np.where(begun, 1 - np.exp(-period_s / SMOOTH_S), 1.0)[:, None, None]
    before = (places[:, L_HIP] + places[:, R_HIP]) / 2
    places += smooth * (joints - places)
    pelvis = (places[:, L_HIP] + places[:, R_HIP]) / 2

    earlier, side = part["side"].copy(), part["side"]
    if flat:
        side[:] = up[:, [1, 0, 2]] * [1, -1, 0]
    else:
        _turn_to(side, places)
    turned = _to_own(places - pelvis[:, None], side, flat)
    lost_s = part["lost_s"]
    lost_s[:] = np.where(seen, 0, lost_s + period_s)
    known: NDArray[np.bool_] = lost_s < HOLD_S

    size = running_size(part["sizes"], places, known, keep, flat)
    rest = own + (1 - np.exp(-period_s / DRIFT_S)) * (REST * size[:, None, None] - own)
    own[:] = np.where(seen[..., None], turned, np.where(known[..., None], own, rest))
    ankles = np.minimum(places[:, L_ANKLE, 1], places[:, R_ANKLE, 1])
    FLOORS.add(part["floors"], ankles, known[:, L_ANKLE] & known[:, R_ANKLE], keep)
    floor = FLOORS.at(part["floors"], FLOOR_SHARE, pelvis[:, 1] + REST[L_ANKLE, 1] * size)

    velocity = np.where(begun[:, None], _to_own((pelvis - before)[:, None], side, flat)[:, 0] / period_s, 0)
    angle = np.arctan2(earlier[:, 2] * side[:, 0] - earlier[:, 0] * side[:, 2], (earlier * side).sum(axis=1))
    turning = np.where(begun, (angle / period_s).clip(-FASTEST, FASTEST), 0)
    part["turning"][:, 0] += (1 - np.exp(-period_s / TURN_S)) * (turning - part["turning"][:, 0])
    part["begun"][:] = 1
    return np.hstack(
        [
            (turned / size[:, None, None]).reshape(len(memory), -1),
            ((pelvis[:, 1] - floor) / size)[:, None],
            (velocity / size[:, None]).clip(-FASTEST, FASTEST),
            part["turning"],
        ]
    )


def _upright(up: Array, joints: Array, level: NDArray[np.bool_], keep: float) -> Array:
    """(S, 3), which way is up: y where that is `level`, else the running mean direction from feet to neck.

    It is kept in `up`. Only bodies that stand straight say which way is up: who crouches leans. A mean over all frames
    lost 10 points of accuracy on trials of subject 86.
    """
    if level.all():
        return np.tile([0.0, 1.0, 0.0], (len(up), 1))
    neck, pelvis, ankles = (joints[:, [one, other]].mean(axis=1) for one, other in zip(*SIDES, strict=True))
    legs = sum(np.linalg.norm(joints[:, one] - joints[:, other], axis=1) for one, other in LEGS) / 2
    stands = neck - ankles
    length = np.linalg.norm(stands, axis=1)
    stretched = length / np.maximum(np.linalg.norm(neck - pelvis, axis=1) + legs, 1e-6)
    weight = np.exp(-np.square((1 - stretched) / STRAIGHT))[:, None]
    counts = ~level[:, None] & (length > 0)[:, None]  # false for NaN
    up[:] = np.where(counts, keep * up + weight * stands / np.where(counts, length[:, None], 1), up)
    total = np.linalg.norm(up, axis=1, keepdims=True)
    return np.where(~level[:, None] & (total > 0), up / np.where(total > 0, total, 1), [0, 1, 0])


def _levelled(joints: Array, up: Array) -> Array:
    """Joints turned so that `up` (S, 3) is vertical."""
    x, y, z = up.T
    axis = np.stack([-z, np.zeros_like(x), x], axis=1)[:, None]  # up x y, by whose sine
    once = np.cross(axis, joints)
    turned: Array = joints + once + np.cross(axis, once) / np.maximum(1 + y, 0.1)[:, None, None]
    return turned


def _expected(joints: Array, seen: NDArray[np.bool_], places: Array, own: Array, side: Array, flat: bool) -> Array:
    """Where each joint would be had the body kept its pose, by those that are seen; (S, 13, 3)."""
    poses = _to_own(own, side * [1, -1, -1], flat)
    weights = TRUST * seen
    total = weights.sum(axis=1)[:, None]
    offsets = np.where(seen[..., None], joints - poses, 0)
    moved = (weights[..., None] * offsets).sum(axis=1) / np.where(total > 0, total, 1)
    pelvis = np.where(total > 0, moved, (places[:, L_HIP] + places[:, R_HIP]) / 2)
    return pelvis[:, None] + poses


def _turn_to(side: Array, places: Array) -> None:
    """Changes `side` (S, 3), the level direction to the body's left."""
    across = places[:, L_HIP] - places[:, R_HIP] + places[:, L_SHOULDER] - places[:, R_SHOULDER]
    flat = across * [1, 0, 1]
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    plain = length > LEVEL_SHARE * np.linalg.norm(across, axis=1, keepdims=True)
    side[:] = np.where(plain, flat / np.where(plain, length, 1), side)


def _to_own(vectors: Array, side: Array, flat: bool) -> Array:
    """World (S, n, 3) to the body's axes, by its left; in an image by the right of whoever looks upright at it.

    With y and z of `side` turned round it is its own inverse.
    """
    x, y, z = np.moveaxis(vectors, 2, 0)
    along, across = side[:, :1], side[:, 1:2] if flat else side[:, 2:]
    if flat:
        return np.stack([along * x + across * y, along * y - across * x, z], axis=2)
    return np.stack([along * x + across * z, y, along * z - across * x], axis=2)


def _begin_at(own: Array, joints: Array, seen: NDArray[np.bool_], new: NDArray[np.bool_]) -> None:
    """Changes `own` of bodies that begin: joints that were not seen are where they rest on a body of this size."""
    ratio, share = measure(np.where(seen[..., None], joints, 0)[new], seen[new])
    own[new] = REST * np.where(share > 0, ratio, 1)[:, None, None]
