"""MATLAB files of the CMU subject 86 set: key `expmapchannels`, (n, 96) exponential maps, radians, 120 Hz.

Needs scipy (the `mat` extra). Reads the formats up to MATLAB 7; not 7.3, which is HDF5.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from motionscribe_models.errors import MissingExtraError, RecordingError
from motionscribe_models.recordings.recording import Recording, even_recording
from motionscribe_models.recordings.skeletons import CMU_EXPMAP

KEY = "expmapchannels"


def read_mat(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for a foreign or truncated file, MissingExtraError without scipy."""
    try:
        from scipy.io import loadmat
    except ImportError:
        raise MissingExtraError("mat", f"reading {path.name}") from None
    try:
        content = loadmat(str(path))
    except Exception as error:  # scipy raises whatever its parser happens to trip over
        raise RecordingError(f"{path}: expected a MATLAB file up to version 7, got {error}") from error
    if KEY not in content:
        got = ", ".join(sorted(k for k in content if not k.startswith("__"))) or "nothing"
        raise RecordingError(f"{path}: expected a variable {KEY}, got {got}")
    values = content[KEY]
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or values.ndim != 2:
        raise RecordingError(f"{path}: expected {KEY} to be a matrix of numbers, got {type(values).__name__}")
    if values.shape[1] != CMU_EXPMAP.width:
        raise RecordingError(f"{path}: expected {CMU_EXPMAP.width} columns of {KEY}, got {values.shape[1]}")
    return even_recording(path.stem, values, replace(CMU_EXPMAP, rate_hz=rate_hz or CMU_EXPMAP.rate_hz))
