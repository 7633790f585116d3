"""Tables with a header: `time_s`, then `head_x`, `head_y`, `head_z` and `head_score`; or a column for each feature.

Numbers have all the digits of float32. A joint that was not seen has empty cells.
"""

import csv
from pathlib import Path

import numpy as np

from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.writers.places import places_of


def write_csv(recording: Recording, path: Path) -> None:
    """Raises RecordingError and LayoutError as `places_of`, OSError."""
    joints = recording.skeleton.joints
    if recording.skeleton.representation == "features":
        header, values = list(joints), recording.frames
    else:
        places = places_of(recording, ".csv").values.astype(np.float32)
        header = [f"{joint}_{axis}" for joint in joints for axis in "xyz"[: places.shape[2]]]
        values = places.reshape(len(places), -1)
    if recording.confidences is not None:
        header += [f"{joint}_score" for joint in joints]
        values = np.hstack([values, recording.confidences])
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time_s", *header])
        for time, row in zip(recording.timestamps_us.tolist(), values, strict=True):
            rows.writerow([f"{time / 1e6:.6f}", *("" if np.isnan(value) else f"{value:.9g}" for value in row)])
