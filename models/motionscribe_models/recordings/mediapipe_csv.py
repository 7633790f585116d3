"""Tables of MediaPipe's pose landmarks, as programs around it write them, by the names of their columns.

`left_hip_wx` and `left_hip_ix`, `left_hip_x` with `left_hip_visibility` or `left_hip_v`, or `x24` with `v24`; all 33
landmarks or some. World coordinates are taken where a table has both.
"""

from dataclasses import replace
from pathlib import Path

from motionscribe_models.recordings.joint_columns import JointColumns
from motionscribe_models.recordings.joint_table import joints_of, read_joint_table
from motionscribe_models.recordings.keypoint_names import MEDIAPIPE_33
from motionscribe_models.recordings.mediapipe import mediapipe_recording
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.table import first_row

_ITS_OWN = {"left_eye_inner", "mouth_left", "left_pinky", "left_foot_index"}
"""Names that COCO does not have."""


def is_mediapipe(path: Path) -> bool:
    """Whether a table is of MediaPipe's landmarks. Raises RecordingError for what is no table."""
    columns = joints_of(path)
    if columns is None:
        return False
    if _are_numbers(columns):
        return bool(columns.sure) and len(columns.places[0]) == 3
    names = {joint.lower() for joint in columns.joints}
    if not names <= set(MEDIAPIPE_33):
        return False
    # others score; MediaPipe says whether a landmark is visible
    sure = first_row(path)
    visible = any(name.lower().endswith(("visibility", "_v", "presence")) for name in sure)
    return visible or bool(columns.coordinates) or bool(names & _ITS_OWN)


def read_mediapipe_csv(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for ragged rows, cells that are no numbers, and times that cannot be read."""
    table = read_joint_table(path, rate_hz)
    found = table.found
    if all(joint.isdecimal() for joint in found.joints):
        found = replace(found, joints=MEDIAPIPE_33)
    return mediapipe_recording(path, found, table.coordinates, table.clock, table.notes)


def _are_numbers(columns: JointColumns) -> bool:
    """Whether the joints are numbers, 0 to 32 or 1 to 33, in this order."""
    joints = columns.joints
    return any(joints == tuple(str(n) for n in range(first, first + len(MEDIAPIPE_33))) for first in (0, 1))
