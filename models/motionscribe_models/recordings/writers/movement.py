"""Poses of the package `movement`, `.nc`: netCDF 4 as its own files are. Needs the extra `h5`.

`position` by time, space, keypoints and individuals, `confidence` by all but space where the source knows; times in
seconds, NaN for a joint that was not seen. Confidences that nobody knows are NaN, as `movement` has them.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from motionscribe_models.errors import MissingExtraError
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.writers.places import places_of

_DIMS = ("time", "space", "keypoints", "individuals")


def write_movement(recording: Recording, path: Path) -> None:
    """Raises RecordingError and LayoutError as `places_of`, MissingExtraError without h5py, OSError."""
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("h5", f"writing {path.suffix}") from None
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
    whole = BytesIO()  # HDF5 crashes where a disk is full
    with h5py.File(whole, "w", track_order=True) as file:  # netCDF wants things in the order in which they were made
        attributes = {"fps": recording.skeleton.rate_hz, "time_unit": "seconds", "ds_type": "poses"}
        file.attrs.update({**attributes, "source_software": "motionscribe"})
        for number, (dim, values) in enumerate(coordinates.items()):
            kind = h5py.string_dtype() if isinstance(values, list) else None
            scale = file.create_dataset(dim, data=values, dtype=kind, track_order=True)
            scale.make_scale(dim)
            scale.attrs["_Netcdf4Dimid"] = np.int32(number)
        _add(file, "position", places.values.transpose(0, 2, 1)[..., None], _DIMS)
        file["position"].attrs["units"] = places.unit
        _add(file, "confidence", sure[..., None], (_DIMS[0], *_DIMS[2:]))
    path.write_bytes(whole.getvalue())


def _add(file: Any, name: str, values: Any, dims: tuple[str, ...]) -> None:
    """A variable of float32 by dimensions that the file has."""
    found = file.create_dataset(name, data=values.astype(np.float32), fillvalue=np.float32(np.nan), track_order=True)
    for axis, dim in enumerate(dims):
        found.dims[axis].attach_scale(file[dim])
    found.attrs["_Netcdf4Coordinates"] = np.array([_DIMS.index(dim) for dim in dims], np.int32)
    found.attrs["_Netcdf4Dimid"] = np.int32(0)
