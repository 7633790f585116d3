"""What formats of places have in common: a recording of any skeleton goes in, places in a usual unit come out.

Rotations go through the bones of their skeleton. Most formats name no unit and no up axis: what is written is what our
readers, and other people's programs, then take it for.
"""

from dataclasses import dataclass

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings.places import CENTIMETRE, METRE, MILLIMETRE
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.spaces import up_axis_of
from motionscribe_models.skeleton import Skeleton, upright

UNITS = (METRE, CENTIMETRE, MILLIMETRE)
"""Those that our readers know by the size of a body."""


@dataclass(frozen=True, eq=False)
class Places:
    """Places of joints."""

    values: Array
    """(n, J, A), A = 3 axes, or 2 in an image; NaN for a joint that was not seen."""
    unit: str


def places_of(recording: Recording, ending: str, y_up: bool = False) -> Places:
    """Places in the recording's own unit and axes where a file can hold them, else in metres, or with y up.

    `y_up` asks for y up in any case, and so for places in space. Raises RecordingError, which names the `ending`, for
    a recording that has no places, and LayoutError for rotations without bones.
    """
    skeleton, frames = recording.skeleton, recording.frames
    if skeleton.representation == "features":
        raise RecordingError(f"{recording.name}: expected a body for {ending}, got features: choose .csv or .npz")
    if skeleton.representation == "positions2d":
        if y_up:
            raise RecordingError(
                f"{recording.name}: expected places in space for {ending}, got an image's: choose .csv, .nc or .npz"
            )
        return Places(frames.reshape(len(frames), -1, 2).astype(np.float64), skeleton.units)
    values = joint_positions(skeleton, frames)
    unit = next((unit.name for unit in UNITS if unit.metres == skeleton.metres_per_unit), "")
    if not unit:
        values, unit = values * skeleton.metres_per_unit, METRE.name
    if y_up or skeleton.left_handed or not _tells_up(skeleton, values):
        values = values @ upright(skeleton).T
    return Places(values, unit)


def _tells_up(skeleton: Skeleton, values: Array) -> bool:
    """Whether a reader, who takes y for up where the joints do not tell, finds the up axis."""
    return (up_axis_of(skeleton.joints, values) or "y") == skeleton.up_axis
