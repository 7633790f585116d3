"""Tables of joints' places, of any program, by the names of their columns: `head_x`, `head.y`, `x_head`, `LAnkle_X`.

A table is one when all its columns of numbers are x y z, or x y, of three joints or more, perhaps with how sure the
finder was. Three axes are places in space, in a unit that their spread tells; two are places in an image.
"""

from pathlib import Path

from motionscribe_models.recordings.joint_table import joints_of, read_joint_table
from motionscribe_models.recordings.keypoints import keypoint_recording
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.spaces import guessed_space, image_space


def has_joints(path: Path) -> bool:
    """Whether all columns of a table are places of joints. Raises RecordingError for what is no table."""
    return joints_of(path) is not None


def read_positions_csv(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for ragged rows, cells that are no numbers, and times that cannot be read."""
    table = read_joint_table(path, rate_hz)
    found = table.found
    space = image_space(found.places) if found.places.shape[2] == 2 else guessed_space(found.joints, found.places)
    return keypoint_recording(path, "positions", found, space, table.clock, table.notes)
