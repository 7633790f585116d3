"""Joints, units and axes of a feed: whether the body in it is whole, as large as people are, and stands upright.

In: frames (n, D) of a skeleton. Out: findings; none for what has no body, such as the channels of a machine.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.diagnosis.axes import judge_axes, uprightness
from motionscribe.sources.diagnosis.finding import Finding
from motionscribe_models.arrays import Array
from motionscribe_models.body.joints import DERIVED, JOINTS, SEEN
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.body.plausibility import find_faults
from motionscribe_models.body.size import SIZE_ONE, measure
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.errors import LayoutError
from motionscribe_models.skeleton import Skeleton

MOST = 2000
"""Frames that are looked at, evenly spaced, of a long recording."""
SMALLEST, LARGEST = 0.3, 2.5
"""Sizes of bodies: adults are 1 to 1.4, a child of one metre 0.6; avatars may be anything in between."""
USUAL = 1.2
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inches": 0.0254, "feet": 0.3048}
FARTHER = 1e-3
"""Places are mapped so much smaller: mapping.py takes what is 3 km away for a fault."""
ENOUGH = 0.5
"""Share of a body's bones that tells its size, as in body/size.py."""
SEEN_LEAST = 0.01
"""Share of frames in which a joint must be seen."""
_HOW_JOINTS = "let the sender send it, or say in --joints FILE what it is called"
STANDING = 200
"""So many frames of it tell: each takes a millisecond."""
FEWEST = 30
"""Frames of a body that stands, without which it is not judged."""


@dataclass(frozen=True, eq=False)
class Body:
    """Somebody's places: metres by what the feed says, y up by what it says."""

    places: Array
    """(n, 15, 3) of JOINTS, NaN where not seen."""
    missing: tuple[str, ...]
    """Joints of the body that the skeleton does not have."""
    is_flat: bool
    """In an image."""


def judge_posture(
    skeleton: Skeleton, frames: NDArray[np.float32], confidences: NDArray[np.float32] | None
) -> list[Finding]:
    """At most one finding of each kind."""
    if skeleton.representation == "features":
        return []
    rows = slice(None, None, -(-len(frames) // MOST))
    try:
        body = _body(skeleton, frames[rows], None if confidences is None else confidences[rows])
    except LayoutError as error:
        return [Finding("missing joint", str(error), _HOW_JOINTS)]
    seen = np.isfinite(body.places[..., 0])
    if not seen.any():
        return [
            Finding("missing joint", f"no joint was seen in any of {len(frames)} frames", "let somebody be in view")
        ]
    findings = _judge_joints(skeleton, body, seen)
    places = body.places
    if not body.is_flat:
        unit = _judge_unit(skeleton, places, seen)
        findings += [finding for _, finding in unit]
        for factor, _ in unit:
            places = places * factor
    axes = judge_axes(skeleton, places)
    findings += axes
    if not axes and not body.is_flat:
        findings += _judge_bones(skeleton, places)
    return findings


def _body(skeleton: Skeleton, frames: NDArray[np.float32], confidences: NDArray[np.float32] | None) -> Body:
    """Raises LayoutError for a skeleton without a body."""
    if skeleton.representation in (BODY.representation, BODY2D.representation):
        is_flat = skeleton.representation == BODY2D.representation
        places: Array = frames[:, :-1].reshape(len(frames), len(JOINTS), -1).astype(np.float64)
        missing: tuple[str, ...] = ()
    else:
        mapping = find_mapping(replace(skeleton, metres_per_unit=skeleton.metres_per_unit * FARTHER))
        is_flat, missing = mapping.body is BODY2D, mapping.missing
        mapped = mapping.apply(frames, confidences)[:, :-1].astype(np.float64)
        places = mapped.reshape(len(frames), len(JOINTS), -1) / FARTHER
    if is_flat:
        places = np.concatenate([places, np.where(np.isnan(places[..., :1]), np.nan, 0.0)], axis=2)
    return Body(places, missing, is_flat)


def _judge_joints(skeleton: Skeleton, body: Body, seen: NDArray[np.bool_]) -> list[Finding]:
    findings = []
    if body.missing:
        evidence = f"{', '.join(body.missing)}: not among the {len(skeleton.joints)} joints of {skeleton.name}"
        findings.append(Finding("missing joint", evidence, _HOW_JOINTS))
    there = seen[seen.any(axis=1)]
    shares = dict(zip(JOINTS, there.mean(axis=0).tolist(), strict=True))
    never = [joint for joint in SEEN if joint not in body.missing and shares[joint] < SEEN_LEAST]
    if never:
        counts = ", ".join(f"{joint} in {round(shares[joint] * len(there))}" for joint in never)
        advice = "see whether markers or sensors are in place and switched on, and the camera sees them"
        findings.append(Finding("missing joint", f"seen of {len(there)} frames: {counts}", advice))
    return findings


def _judge_unit(skeleton: Skeleton, places: Array, seen: NDArray[np.bool_]) -> list[tuple[float, Finding]]:
    """What places must be multiplied by, with the finding."""
    known = seen[:, len(DERIVED) :]
    ratios, shares = measure(np.where(known[..., None], places[:, len(DERIVED) :], 0.0), known)
    ratios = ratios[shares > ENOUGH]
    size = float(np.median(ratios)) if len(ratios) else USUAL
    if SMALLEST <= size <= LARGEST:
        return []
    told = skeleton.metres_per_unit
    fits = {name: size * metres / told for name, metres in UNITS.items()}
    name = min(fits, key=lambda unit: abs(np.log(fits[unit] / USUAL)))
    evidence = (
        f"told in {skeleton.units}: torso, an arm and a leg are {size * SIZE_ONE:.3g} m long together; "
        f"of people {SMALLEST * SIZE_ONE:.1f} to {LARGEST * SIZE_ONE:.1f} m"
    )
    if SMALLEST <= fits[name] <= LARGEST:
        advice = f"these are {name}: set the sender to {skeleton.units}, or let it say that it sends {name}"
        return [(UNITS[name] / told, Finding("wrong unit", evidence, advice))]
    advice = f"scale what the sender sends by {USUAL / size:.3g}"
    return [(USUAL / size, Finding("wrong unit", evidence, advice))]


def _judge_bones(skeleton: Skeleton, places: Array) -> list[Finding]:
    """What is not plausible in a body, of the frames in which it stands."""
    standing = places[uprightness(places)]
    if len(standing) < FEWEST:
        return []
    step = -(-len(standing) // STANDING)
    standing = standing[::step]
    frames = np.hstack([standing.reshape(len(standing), -1), np.ones((len(standing), 1))]).astype(np.float32)
    advice = "see how the sender names its sides, and whether its axes are those of a left or right hand"
    body = replace(BODY, rate_hz=skeleton.rate_hz / step)
    return [Finding("implausible body", fault, advice) for fault in find_faults(frames, body)]
