"""Faults of the synthetic performer: of the body, which limps or trembles, and of the sensors on it.

Faults of the body change joint angles before the feet meet the ground, those of sensors the frames that come out. In
both cases (n, J, 3) of the fault's own frames go in and are changed; the joints at fault come out, the most to blame
first. The CMU layout has no NaN: a lost sensor gives rotation 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.faults import LEAST_SPREAD_DEG, limp_share, spread_degrees, tremor_degrees
from motionscribe_models.recordings import CMU_EXPMAP

ARM = ("humerus", "radius", "wrist", "hand", "fingers", "thumb")
LEG = ("femur", "tibia", "foot", "toes")
SIDES = ("l", "r")

Apply = Callable[[Array, float, np.random.Generator], tuple[str, ...]]
"""Numbers (n, J, 3), the rate in Hz, and what chooses a limb."""


@dataclass(frozen=True)
class Fault:
    """One fault: half-open [start_seq, end_seq), the first frame is 1."""

    start_seq: int
    end_seq: int
    kind: str
    """A key of BODY or SENSORS."""
    joints: tuple[str, ...]
    """The joints at fault, the most to blame first."""


def _limp(degrees: Array, rate_hz: float, rng: np.random.Generator) -> tuple[str, ...]:
    """A leg swings less."""
    leg = _limb(rng.choice(SIDES), LEG)
    own = degrees[:, _at(leg)]
    degrees[:, _at(leg)] = own - limp_share(len(own), rate_hz)[:, None, None] * (own - own.mean(axis=0))
    return leg


def _tremble(degrees: Array, rate_hz: float, rng: np.random.Generator) -> tuple[str, ...]:
    """An upper arm or a thigh trembles, and what hangs on it with it."""
    joint = f"{rng.choice(SIDES)}{rng.choice((ARM[0], LEG[0]))}"
    axis = rng.normal(size=3)
    degrees[:, _at((joint,))] += np.outer(tremor_degrees(len(degrees), rate_hz), axis / np.linalg.norm(axis))[:, None]
    return (joint,)


def _freeze(vectors: Array, rate_hz: float, rng: np.random.Generator) -> tuple[str, ...]:
    """The sensors of a limb repeat what they said; of one that moves, where one does."""
    limbs = [_limb(side, part) for part in (ARM, LEG) for side in SIDES]
    moving = [limb for limb in limbs if spread_degrees(vectors[:, _at(limb[:2])]) >= LEAST_SPREAD_DEG]
    limb = (moving or limbs)[rng.integers(len(moving or limbs))]
    vectors[:, _at(limb)] = vectors[0, _at(limb)]
    return limb


def _swap(vectors: Array, rate_hz: float, rng: np.random.Generator) -> tuple[str, ...]:
    """The sensors of both arms, or of both legs, are taken for each other."""
    left, right = (_limb(side, part) for part in [(ARM, LEG)[rng.integers(2)]] for side in SIDES)
    vectors[:, _at(left + right)] = vectors[:, _at(right + left)]
    return tuple(joint for pair in zip(left, right, strict=True) for joint in pair)


def _drop(vectors: Array, rate_hz: float, rng: np.random.Generator) -> tuple[str, ...]:
    """The sensors of a limb are lost."""
    limb = _limb(rng.choice(SIDES), (ARM, LEG)[rng.integers(2)])
    vectors[:, _at(limb)] = 0
    return limb


BODY: Mapping[str, Apply] = {"limp": _limp, "tremble": _tremble}
SENSORS: Mapping[str, Apply] = {"freeze": _freeze, "swap": _swap, "drop": _drop}


def apply_faults(
    table: Mapping[str, Apply], faults: Sequence[tuple[str, float, float]], numbers: Array, rate_hz: float, seed: int
) -> list[Fault]:
    """Changes `numbers` (n, J, 3) of a whole performance by those faults (kind, start and length in s) of a table.

    Raises ValueError for a fault that does not lie within the performance or is shorter than a frame.
    """
    found = []
    for place, (kind, start_s, seconds) in enumerate(faults):
        if kind not in table:
            continue
        if not 0 <= start_s < start_s + seconds <= len(numbers) / rate_hz:
            whole = f"{len(numbers) / rate_hz:g} s"
            raise ValueError(
                f"expected a fault within the {whole} of motion, got {kind} at {start_s} s for {seconds} s"
            )
        start, end = round(start_s * rate_hz), round((start_s + seconds) * rate_hz)
        if start == end:
            raise ValueError(f"expected a fault of a frame or more, got {kind} at {start_s} s for {seconds} s")
        joints = table[kind](numbers[start:end], rate_hz, np.random.default_rng((seed, place)))
        found.append(Fault(start + 1, end + 1, kind, joints))
    return found


def _limb(side: str, part: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(side + bone for bone in part)


def _at(joints: Sequence[str]) -> list[int]:
    return [CMU_EXPMAP.joints.index(joint) for joint in joints]
