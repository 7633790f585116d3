"""Poses of the package `movement`, `.nc`: netCDF 4 as its own files are. Needs the extra `h5`.

`position` by time, space, keypoints and individuals, `confidence` by all but space where the source knows; times in
seconds, NaN for a joint that was not seen. Confidences that nobody knows are NaN, as `movement` has them.
"""

from pathlib import Path
from typing import Any

import numpy as np

from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.writers.netcdf import Variable, write_netcdf
from motionscribe_models.recordings.writers.places import places_of

_DIMS = ("time", "space", "keypoints", "individuals")


def write_movement(recording: Recording, path: Path) -> None:
    """Raises RecordingError and LayoutError as `places_of`, MissingExtraError without h5py, OSError."""
    places = places_of(recording, ".nc")
    sure = recording.confidences
    if sure is None:
        sure = np.full(places.values.shape[:2], np.nan, np.float32)
    coordinates: dict[str, Any] = {
        "time": recording.timestamps_us / 1e6,
        "space": list("xyz"[: places.values.shape[2]]),
        "keypoints": list(recording.skeleton.joints),
        "individuals": ["id_0"],
    }
    write_netcdf(
        path,
        coordinates,
        {
            "position": Variable(_DIMS, _floats(places.values.transpose(0, 2, 1)), {"units": places.unit}),
            "confidence": Variable((_DIMS[0], *_DIMS[2:]), _floats(sure)),
        },
        {
            "fps": recording.skeleton.rate_hz,
            "time_unit": "seconds",
            "ds_type": "poses",
            "source_software": "motionscribe",
        },
    )


def _floats(values: Any) -> Any:
    """Of the one individual."""
    return values[..., None].astype(np.float32)
