"""Marker files of OpenSim (TRC): the place of each joint in m, cm or mm, y up as OpenSim has it, with times.

A joint that was not seen has empty cells. Confidences have no place in it.
"""

from pathlib import Path

import numpy as np

from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.writers.places import places_of

_SETTINGS = (
    "DataRate",
    "CameraRate",
    "NumFrames",
    "NumMarkers",
    "Units",
    "OrigDataRate",
    "OrigDataStartFrame",
    "OrigNumFrames",
)


def write_trc(recording: Recording, path: Path) -> None:
    """Raises RecordingError and LayoutError as `places_of`, OSError."""
    places = places_of(recording, ".trc", y_up=True)
    count, joints = len(recording.frames), recording.skeleton.joints
    rate = f"{recording.skeleton.rate_hz:.9g}"
    values = (rate, rate, count, len(joints), places.unit, rate, 1, count)
    marker_names = [cell for joint in joints for cell in (joint, "", "")]
    column_names = [f"{axis}{number}" for number in range(1, len(joints) + 1) for axis in "XYZ"]
    with path.open("w", encoding="utf-8", newline="") as file:
        for line in (
            ("PathFileType", "4", "(X/Y/Z)", path.name),
            _SETTINGS,
            map(str, values),
            ("Frame#", "Time", *marker_names),
            ("", "", *column_names),
            (),
        ):
            print(*line, sep="\t", end="\r\n", file=file)
        rows = places.values.astype(np.float32).reshape(count, -1)
        for number, (time, row) in enumerate(zip(recording.timestamps_us.tolist(), rows, strict=True), 1):
            cells = ("" if np.isnan(value) else f"{value:.9g}" for value in row)
            print(number, f"{time / 1e6:.6f}", *cells, sep="\t", end="\r\n", file=file)
