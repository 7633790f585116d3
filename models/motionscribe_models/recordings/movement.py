"""Poses of the package `movement`, `.nc`: netCDF 4, which is HDF5. Needs the extra `h5`.

`position` has the dimensions time, space, keypoints and individuals in any order (keypoint and individual in newer
files), and `confidence` all but space; NaN there says that nothing is known. Times are seconds, or numbers of frames;
the attribute `fps` is the rate. In space the unit is that of the position's attribute `units`, else by the size of the
body.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.hdf5 import as_text, dataset, numbers, open_hdf5, texts
from motionscribe_models.recordings.individuals import Found, most_found
from motionscribe_models.recordings.keypoints import Clock, Keypoints, frame_clock, keypoint_recording, timed_clock
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.spaces import guessed_space, image_space

_ORDER = ("individual", "time", "keypoint", "space")
_ID = "_Netcdf4Dimid"
_FARTHEST_S = 1e12
"""Of times: more is none."""


def read_movement(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for a foreign or truncated file, MissingExtraError without h5py."""
    with open_hdf5(path) as file:
        position = dataset(path, file, "position")
        places, names = _in_order(path, file, position, _ORDER)
        sure = None
        if "confidence" in file:
            sure, _ = _in_order(path, file, dataset(path, file, "confidence"), _ORDER[:3])
        axes = texts(path, dataset(path, file, names["space"]))
        joints = texts(path, dataset(path, file, names["keypoint"]))
        who = texts(path, dataset(path, file, names["individual"]))
        units = as_text(position.attrs.get("units", ""))
        clock = _clock(path, file, names["time"], rate_hz)
    if axes not in (("x", "y"), ("x", "y", "z")) or not all(places.shape):
        raise RecordingError(f"{path}: expected places x, y or x, y, z, got {', '.join(axes)} of shape {places.shape}")
    shape = (len(who), len(clock.times_us), len(joints), len(axes))
    if places.shape != shape or (sure is not None and sure.shape != shape[:3]):
        raise RecordingError(f"{path}: expected a name for each of the position's parts, got {shape}, {places.shape}")
    found = [Found.of(np.isfinite(one).all(axis=2)) for one in places]
    chosen, notes = most_found(who, found, places.shape[1])
    one = Keypoints(joints, places[chosen], _known(sure[chosen]) if sure is not None else None)
    space = image_space(one.places) if len(axes) == 2 else guessed_space(joints, one.places, units)
    return keypoint_recording(path, "movement", one, space, clock, notes)


def _known(sure: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Confidences (n, J); where one is not known the joint is as sure as can be, None where none is."""
    unknown = np.isnan(sure)
    return None if unknown.all() else np.where(unknown, 1.0, sure)


def _in_order(path: Path, file: Any, found: Any, order: tuple[str, ...]) -> tuple[NDArray[np.float64], dict[str, str]]:
    """Values with their dimensions in this order, and the file's name for each dimension."""
    # netCDF's own numbers: the references that HDF5 has for it crash HDF5 where a file is damaged
    ids = {int(file[name].attrs[_ID]): name for name in file if _ID in file[name].attrs and "CLASS" in file[name].attrs}
    scales = [ids.get(int(number), "") for number in found.attrs.get("_Netcdf4Coordinates", ())]
    plain = [name.removesuffix("s") for name in scales]  # both spellings
    if sorted(plain) != sorted(order):
        got = ", ".join(map(repr, scales)) or "no names of dimensions"
        raise RecordingError(f"{path}: expected {found.name} by {', '.join(order)}, got {got}")
    values = numbers(path, found).transpose([plain.index(name) for name in order])
    return values, dict(zip(plain, scales, strict=True))


def _clock(path: Path, file: Any, name: str, rate_hz: float | None) -> Clock:
    times = numbers(path, dataset(path, file, name))
    fps = np.ravel(file.attrs.get("fps", np.nan))
    fps_hz = float(fps[0]) if fps.dtype.kind in "fiu" and len(fps) and 0 < fps[0] < 1e6 else None
    if times.ndim != 1 or not (np.abs(times) < _FARTHEST_S).all():
        raise RecordingError(f"{path}: expected times in {name}, got {times.dtype} of shape {times.shape}")
    if as_text(file.attrs.get("time_unit", "seconds")) == "frames" or len(times) < 2:
        return frame_clock(path, times.astype(np.int64), rate_hz, fps_hz)
    clock = timed_clock(np.asarray(np.rint(times * 1e6), np.int64), rate_hz)
    return clock if rate_hz or fps_hz is None else Clock(clock.times_us, fps_hz)
