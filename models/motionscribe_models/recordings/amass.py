"""AMASS and its relatives, `.npz` with SMPL parameters: rotations of the 22 joints of the body, in metres, z up.

A file holds rotations; the body that they turn comes with SMPL, under a licence of its own. Here they turn an average
body: bones as long as anthropometric tables have them, as shares of a height of 1.7 m. So motions of all people come
out alike in size; hands, and the shape of the body, are left out.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.places import METRE
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.skeletons import Vector
from motionscribe_models.skeleton import Skeleton

KEYS = ("poses", "trans")
RATES = ("mocap_framerate", "mocap_frame_rate")
"""Keys of the rate; releases spell it in two ways."""
_DAMAGE = (
    OSError,
    EOFError,
    MemoryError,
    RuntimeError,
    ValueError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    TokenError,
)
_TALL_M = 1.7
_LARGEST = 1e3
"""Radians in a rotation vector, or metres from the origin: beyond it a file is none of these."""

# joint, its parent, and where it is in a body that stands with its arms out: to the left, up, to the front, as shares
# of the height; from the segment lengths of Drillis and Contini. A row of the left stands for one of the right, too.
_BODY: tuple[tuple[str, str, Vector], ...] = (
    ("pelvis", "", (0.0, 0.55, 0.0)),
    ("left_hip", "pelvis", (0.05, 0.53, 0.0)),
    ("spine1", "pelvis", (0.0, 0.6, 0.0)),
    ("left_knee", "left_hip", (0.05, 0.285, 0.0)),
    ("spine2", "spine1", (0.0, 0.67, 0.0)),
    ("left_ankle", "left_knee", (0.05, 0.039, 0.0)),
    ("spine3", "spine2", (0.0, 0.72, 0.0)),
    ("left_foot", "left_ankle", (0.05, 0.01, 0.08)),
    ("neck", "spine3", (0.0, 0.85, 0.0)),
    ("left_collar", "spine3", (0.04, 0.81, 0.0)),
    ("head", "neck", (0.0, 0.9, 0.02)),
    ("left_shoulder", "left_collar", (0.129, 0.818, 0.0)),
    ("left_elbow", "left_shoulder", (0.315, 0.818, 0.0)),
    ("left_wrist", "left_elbow", (0.461, 0.818, 0.0)),
)


def _both_sides() -> list[tuple[str, str, Vector]]:
    """All 22 joints in SMPL's order, in which left comes before right."""
    joints = []
    for name, parent, (left, up, front) in _BODY:
        joints.append((name, parent, (left, up, front)))
        if name.startswith("left"):
            joints.append((name.replace("left", "right"), parent.replace("left", "right"), (-left, up, front)))
    return joints


def _rest_skeleton() -> Skeleton:
    """The average body, turned by rotation vectors from parent to joint."""
    joints = _both_sides()
    places = {name: np.array(place) * _TALL_M for name, _, place in joints}
    names = tuple(places)
    return Skeleton(
        name="smpl",
        joints=names,
        parents=tuple(names.index(parent) if parent else -1 for _, parent, _ in joints),
        representation="expmap",
        units=METRE.name,
        metres_per_unit=METRE.metres,
        up_axis="z",
        rate_hz=1.0,
        offsets=tuple(
            tuple((places[name] - places[parent]).tolist()) if parent else (0.0, 0.0, 0.0) for name, parent, _ in joints
        ),
    )


REST = _rest_skeleton()


def is_amass(path: Path) -> bool:
    """Whether a file holds SMPL's poses; False for one that cannot be read."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            return set(KEYS) <= set(content.files)
    except (*_DAMAGE, AttributeError):  # a bare array has no files
        return False


def read_amass(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for a truncated or pickled file, and for arrays of other shapes."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            poses, trans = (_numbers(content, key, path) for key in KEYS)
            named = next((key for key in RATES if key in content.files), None)
            own_rate = _numbers(content, named, path) if named else np.zeros(1)
    except _DAMAGE as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(f"{path}: expected a file of AMASS, got {str(error)[:200]}") from error
    width = 3 * len(REST.joints)
    if poses.ndim != 2 or poses.shape[1] < width or trans.shape != (len(poses), 3):
        raise RecordingError(
            f"{path}: expected poses of {width} or more columns, and trans of 3 for each, "
            f"got {poses.shape} and {trans.shape}"
        )
    rate = rate_hz or float(own_rate.ravel()[0] if own_rate.size else 0)
    if not 0 < rate < 1e6:
        raise RecordingError(f"{path}: expected {' or '.join(RATES)} above 0 Hz and below 1 MHz, got {rate}")
    notes = (
        "up axis: z, as AMASS has it",
        f"bones are those of an average body of {_TALL_M} m with its pelvis at trans, not of the model's own body",
    )
    frames = np.hstack([trans, poses[:, :width]]).astype(np.float32)
    return Recording(path.stem, frames, even_times(len(frames), rate), replace(REST, rate_hz=rate), notes)


def _numbers(content: Mapping[str, NDArray[Any]], key: str, path: Path) -> Array:
    array = content[key]
    if array.dtype.kind not in "fiu":
        raise RecordingError(f"{path}: expected numbers in {key}, got {array.dtype}")
    values = array.astype(np.float64)
    if not (np.abs(values) < _LARGEST).all():
        raise RecordingError(f"{path}: expected finite numbers below {_LARGEST:g} in {key}, got others")
    return values
