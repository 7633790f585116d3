"""Joint angles of OpenSim, `.mot`, to rotations of an average body: those of its gait models and their relatives.

A file names coordinates such as `hip_flexion_r`; the model that they move is in a file of its own. Here they move the
bones of an adult, with the axes that gait2392, Rajagopal's model and OpenCap's share: x to the front, y up, z to the
right, flexion about z, then x, then y, and the left side mirrored. Whether knees bend with positive or negative angles
differs between them: most of the file decides. Arms are there where the file turns them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.places import METRE, times_of
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.skeletons import Vector
from motionscribe_models.recordings.table import read_numbers
from motionscribe_models.recordings.text import read_lines
from motionscribe_models.rotations import rotation_matrix, rotation_vector
from motionscribe_models.skeleton import AXES, Skeleton

# joint, parent, offset in metres, and the coordinates that turn it about z, x and y, "*" for its side; the right side's
# z is mirrored for the left. From the public gait2392 and Rajagopal models, rounded, of 1.7 m.
_TRUNK: tuple[tuple[str, str, Vector, tuple[str, ...]], ...] = (
    ("pelvis", "", (0.0, 0.0, 0.0), ("pelvis_tilt", "pelvis_list", "pelvis_rotation")),
    ("spine", "pelvis", (-0.1, 0.08, 0.0), ("lumbar_extension", "lumbar_bending", "lumbar_rotation")),
    ("head", "spine", (0.02, 0.58, 0.0), ()),
)
_LEG: tuple[tuple[str, str, Vector, tuple[str, ...]], ...] = (
    ("hip", "pelvis", (-0.07, -0.07, 0.085), ("hip_flexion", "hip_adduction", "hip_rotation")),
    ("knee", "hip", (0.0, -0.41, 0.0), ("knee_angle",)),
    ("ankle", "knee", (0.0, -0.42, 0.0), ("ankle_angle",)),
)
_ARM: tuple[tuple[str, str, Vector, tuple[str, ...]], ...] = (
    ("shoulder", "spine", (0.0, 0.37, 0.17), ("arm_flex", "arm_add", "arm_rot")),
    ("elbow", "shoulder", (0.01, -0.29, -0.01), ("elbow_flex",)),
    ("wrist", "elbow", (0.0, -0.25, 0.02), ()),
)
_PLACE = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
_NEEDED = ("pelvis_tilt", "hip_flexion_r", "hip_flexion_l", "knee_angle_r", "knee_angle_l")
_TURN_ABOUT = "zxy"


def read_mot(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the line where a file is no such table, and for other coordinates than these."""
    names, values, lines, degrees = _read_table(path)
    lost = [name for name in ("time", *_NEEDED) if name not in names]
    if lost:
        raise RecordingError(
            f"{path}: expected joint angles {', '.join(_NEEDED)}, got none of {', '.join(lost)} "
            f"among {', '.join(names[:6])}: export the markers as .trc"
        )
    columns = dict(zip(names, values.T, strict=True))
    if degrees:
        columns |= {name: np.deg2rad(column) for name, column in columns.items() if name not in ("time", *_PLACE)}
    knees = np.concatenate([columns["knee_angle_r"], columns["knee_angle_l"]])
    bent = -1.0 if np.median(knees) > 0 else 1.0
    columns |= {name: bent * columns[name] for name in ("knee_angle_r", "knee_angle_l")}
    times = times_of(columns["time"], lines, path) if rate_hz is None else even_times(len(values), rate_hz)
    rate_hz = rate_hz or (1e6 / float(np.median(np.diff(times))) if len(times) > 1 else 100.0)
    joints = _joints("arm_flex_r" in columns)
    turns = [rotation_vector(_turn(coordinates, columns, len(values))) for _, _, _, coordinates in joints]
    place = np.stack([columns.get(name, np.zeros(len(values))) for name in _PLACE], axis=1)
    parents = [joint[0] for joint in joints]
    skeleton = Skeleton(
        name="opensim",
        joints=tuple(joint[0] for joint in joints),
        parents=tuple(parents.index(parent) if parent else -1 for _, parent, _, _ in joints),
        representation="expmap",
        units=METRE.name,
        metres_per_unit=METRE.metres,
        up_axis="y",
        rate_hz=rate_hz,
        offsets=tuple(offset for _, _, offset, _ in joints),
    )
    notes = (
        "bones are those of an average body of 1.7 m, not of the file's own model",
        f"knees bend with {'positive' if bent < 0 else 'negative'} angles, by most frames",
    )
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, which Recording refuses
        return Recording(path.stem, np.hstack([place, *turns]).astype(np.float32), times, skeleton, notes)


def _read_table(path: Path) -> tuple[list[str], Array, list[int], bool]:
    """Names of columns, values (n, columns), the line of each row, and whether angles are degrees."""
    lines = read_lines(path)
    end = next((n for n, line in enumerate(lines) if line.strip().lower() == "endheader"), None)
    if end is None or end + 1 >= len(lines):
        raise RecordingError(f"{path}: expected a line endheader, then names of columns, got none")
    names = lines[end + 1].split()
    if len(set(names)) != len(names):
        raise RecordingError(f"{path}:{end + 2}: expected a name of its own for each column")
    rows = [(n, line.split()) for n, line in enumerate(lines[end + 2 :], end + 3) if line.strip()]
    if not rows:
        raise RecordingError(f"{path}: expected frames, got only a header")
    for number, row in rows:
        if len(row) != len(names):
            raise RecordingError(f"{path}:{number}: expected {len(names)} columns, got {len(row)}")
    values = np.stack([read_numbers(row, f"{path}:{number}") for number, row in rows])
    degrees = not any(line.replace(" ", "").lower() == "indegrees=no" for line in lines[:end])
    return names, values, [number for number, _ in rows], degrees


def _joints(arms: bool) -> list[tuple[str, str, Vector, tuple[str, ...]]]:
    """All joints, with the coordinates of each by their names in a file; without arms they end at the shoulders."""
    joints = list(_TRUNK)
    for side, letter, sign in (("left", "l", -1.0), ("right", "r", 1.0)):
        for name, parent, (x, y, z), coordinates in (*_LEG, *(_ARM if arms else _ARM[:1])):
            above = parent if parent in ("pelvis", "spine") else f"{side}_{parent}"
            joints.append((f"{side}_{name}", above, (x, y, sign * z), tuple(f"{c}_{letter}" for c in coordinates)))
    return joints


def _turn(coordinates: Sequence[str], columns: dict[str, Array], count: int) -> Array:
    """(n, 3, 3) of coordinates about z, x, y in turn; a left side's x and y turn the other way. Absent ones are 0."""
    turn = np.tile(np.eye(3), (count, 1, 1))
    for name, axis in zip(coordinates, _TURN_ABOUT, strict=False):
        if name in columns:
            vectors = np.zeros((count, 3))
            vectors[:, AXES.index(axis)] = columns[name] * (-1.0 if name.endswith("_l") and axis != "z" else 1.0)
            turn = turn @ rotation_matrix(vectors)
    return turn
