"""Which of several individuals a recording is of: the one that is found in most frames.

Where a file does not say who is who from frame to frame, individuals are followed by their places: whoever is nearest
to where somebody was is the same one, within half the size of a body, and farther the longer somebody was away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.spaces import believable

Pose = NDArray[np.float64]
"""(J, A + 1): the place of each joint, NaN for one that was not found, and a confidence."""
MOST = 100
"""Individuals in a frame, and those that are followed at a time."""
_REACH = 0.5
"""How far one goes between two frames, in sizes of its body."""
_AWAY = 10
"""Frames in which one who is away gets as far again."""


@dataclass(frozen=True, order=True)
class Found:
    """How often an individual was found; more is more."""

    frames: int = 0
    joints: int = 0
    """In all frames together."""

    @classmethod
    def of(cls, found: NDArray[np.bool_]) -> "Found":
        """From (n, J): which joints have a place in which frame."""
        return cls(int(found.any(axis=1).sum()), int(found.sum()))


def most_found(names: Sequence[str], found: Sequence[Found], frames: int) -> tuple[int, tuple[str, ...]]:
    """The index of the one that is found in most of so many frames, and a note where there are others."""
    chosen = max(range(len(names)), key=lambda n: found[n])
    if len(names) == 1:
        return 0, ()
    others = [f"{name[:40]} ({found[n].frames})" for n, name in enumerate(names) if n != chosen]
    some = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    took = f"{names[chosen][:40]}, found in {found[chosen].frames} of {frames} frames"
    return chosen, (f"individual: {took}; left out: {some}",)


def one_of(frames: Sequence[Mapping[str, Pose]], joints: int, axes: int) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Poses of individuals by name to (n, J, A + 1) of the one that is found most, NaN where it is not; and notes."""
    found: dict[str, Found] = {}
    for frame in frames:
        for name, pose in frame.items():
            here = int(np.isfinite(pose[:, :-1]).all(axis=1).sum())
            so_far = found.get(name, Found())
            found[name] = Found(so_far.frames + bool(here), so_far.joints + here)
    poses = np.full((len(frames), joints, axes + 1), np.nan)
    if not found:
        return poses, ()
    chosen, notes = most_found(list(found), list(found.values()), len(frames))
    name = list(found)[chosen]
    for n, frame in enumerate(frames):
        if name in frame:
            poses[n] = frame[name]
    return poses, notes


def by_place(path: Path, frames: Sequence[Sequence[Pose]]) -> list[dict[str, Pose]]:
    """Names individuals `person 1` and so on, in the order in which they appear. Raises RecordingError for a crowd."""
    most = max((len(people) for people in frames), default=0)
    if most > MOST:
        raise RecordingError(f"{path}: expected at most {MOST} individuals in a frame, got {most}")
    if most <= 1:  # nobody to take for another one
        return [dict(zip(["person 1"], people, strict=False)) for people in frames]
    last: dict[str, tuple[int, Pose]] = {}
    count = 0
    named: list[dict[str, Pose]] = []
    for n, people in enumerate(frames):
        names = _nearest(last, n, people)
        for number, name in enumerate(names):
            if not name:
                count += 1
                names[number] = f"person {count}"
        named.append(dict(zip(names, people, strict=True)))
        for name, pose in named[-1].items():
            last.pop(name, None)  # so that the last ones are those that were found last
            last[name] = n, pose
        for name in list(last)[:-MOST]:
            del last[name]
    return named


def _nearest(last: Mapping[str, tuple[int, Pose]], n: int, people: Sequence[Pose]) -> list[str]:
    """For each pose of frame `n` the name of who is followed there, "" for a new one; the nearest pairs first."""
    pairs = []
    for name, (seen, before) in last.items():
        reach = _REACH * (1 + (n - seen - 1) / _AWAY)
        for number, pose in enumerate(people):
            if (distance := _distance(before[:, :-1], pose[:, :-1])) < reach:
                pairs.append((distance, number, name))
    names = [""] * len(people)
    for _, number, name in sorted(pairs):
        if not names[number] and name not in names:
            names[number] = name
    return names


def _distance(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Mean distance of the joints that both have, in sizes of the body: diagonals of the box around it."""
    both = np.isfinite(believable(before)).all(axis=1) & np.isfinite(believable(now)).all(axis=1)
    if not both.any():
        return np.inf
    size = float(np.linalg.norm(np.ptp(before[both], axis=0))) or 1.0
    return float(np.linalg.norm(now[both] - before[both], axis=1).mean()) / size
