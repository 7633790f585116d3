"""Whether up is up: somebody who stands along another axis all the time has not lain down but has swapped axes.

In: places (n, 15, 3) of JOINTS, metres, y up by what the feed says. Out: findings.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.diagnosis.finding import Finding
from motionscribe_models.arrays import Array
from motionscribe_models.body.joints import JOINTS
from motionscribe_models.skeleton import AXES, Skeleton, upright

UPRIGHT = 0.8
"""Cosine of the angle between up and the way from feet to head, within which somebody stands: 37 degrees."""
STANDS = 0.05
"""Who stands in so many of the frames may lie in the others."""
ALONG, MOSTLY = 0.9, 0.8
"""Who is in line with another axis, within 26 degrees, in so many frames, lies or has swapped axes."""
FLOOR_M = (-0.15, 0.25)
"""How high ankles are where the floor is 0: of somebody who lies they are anywhere along that axis."""
RISES_M = 0.5
"""Nobody who never stands goes up and down by so much: along that axis somebody walks."""
CENTRED_M = 1e-3
"""A pelvis that moves by no more is the origin, and says nothing of a floor."""


def uprightness(places: Array) -> NDArray[np.bool_]:
    """(n,) whether somebody stands."""
    standing: NDArray[np.bool_] = _ways(places)[:, 1] > UPRIGHT
    return standing


def judge_axes(skeleton: Skeleton, places: Array) -> list[Finding]:
    """At most one finding. Somebody who lies all the time is no fault."""
    ways = _ways(places)
    ways = ways[np.isfinite(ways).all(axis=1)]
    if not len(ways) or (ways[:, 1] > UPRIGHT).mean() >= STANDS:
        return []
    for axis, sign in ((1, -1), (0, 1), (0, -1), (2, 1), (2, -1)):
        share = float((sign * ways[:, axis] > ALONG).mean())
        if share < MOSTLY or not (axis == 1 or _stands_along(places, axis, sign)):
            continue
        true = upright(skeleton).T @ (np.eye(3)[axis] * sign)
        at = int(np.abs(true).argmax())
        name = ("-" if true[at] < 0 else "") + AXES[at]
        evidence = (
            f"told that {skeleton.up_axis} is up: heads are above feet along {name} in {share:.0%} of {len(ways)} "
            f"frames, along {skeleton.up_axis} in {(ways[:, 1] > UPRIGHT).mean():.0%}"
        )
        advice = f"set the sender's up axis to {skeleton.up_axis}, or let it say that {name} is up"
        return [Finding("swapped axes", evidence, advice)]
    return []


def _ways(places: Array) -> Array:
    """(n, 3) directions from feet to head, or what is nearest to them and was seen; NaN where nothing was."""
    feet, head = _first(places, "ankle", "knee", "hip"), _first(places, "head", "shoulder")
    ways = head - feet
    lengths = np.linalg.norm(ways, axis=1, keepdims=True)
    directions: Array = np.divide(ways, lengths, out=np.full_like(ways, np.nan), where=lengths > 0)
    return directions


def _first(places: Array, *parts: str) -> Array:
    """(n, 3) the middle of those joints of the first part that was seen in the frame."""
    found = np.full((len(places), 3), np.nan)
    for part in parts:
        joints = places[:, [n for n, joint in enumerate(JOINTS) if joint.endswith(part)]]
        found = np.where(np.isnan(found), joints.mean(axis=1), found)
    return found


def _stands_along(places: Array, axis: int, sign: int) -> bool:
    """Whether somebody in line with an axis stands along it, by what those who lie do not do."""
    pelvis = places[:, JOINTS.index("pelvis")]
    pelvis = pelvis[np.isfinite(pelvis).all(axis=1)]
    if not len(pelvis) or np.ptp(pelvis, axis=0).max() < CENTRED_M:
        return True
    low, high = np.quantile(pelvis[:, 1], (0.05, 0.95))
    ankles = sign * _first(places, "ankle")[:, axis]
    ankles = ankles[np.isfinite(ankles)]
    lowest = float(np.quantile(ankles, 0.05)) if len(ankles) else np.inf
    return high - low > RISES_M or FLOOR_M[0] <= lowest <= FLOOR_M[1]
