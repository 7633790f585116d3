"""The project's own file of a recording: `.npz` with frames, timestamps_us and the skeleton as JSON; no pickle.

Confidences are there where the source has them.

What `write_npz` writes, `read_npz` returns unchanged, all but the name, which is the file's, and the notes.
"""

import json
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError, RecordingError
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.skeleton import Skeleton

KEYS = ("frames", "skeleton", "timestamps_us")
CONFIDENCES = "confidences"


def write_npz(recording: Recording, path: Path) -> None:
    """Writes all of a recording but its notes. Raises OSError."""
    arrays: dict[str, NDArray[Any]] = {
        "frames": recording.frames,
        "timestamps_us": recording.timestamps_us,
        "skeleton": np.array(json.dumps(recording.skeleton.to_json())),
    }
    if recording.confidences is not None:
        arrays[CONFIDENCES] = recording.confidences
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_npz(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for a foreign, truncated or pickled file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            if sorted({*content.files} - {CONFIDENCES}) != list(KEYS):
                raise RecordingError(f"{path}: expected the arrays {', '.join(KEYS)}, got {', '.join(content.files)}")
            frames, times, layout = content["frames"], content["timestamps_us"], content["skeleton"]
            confidences = content[CONFIDENCES] if CONFIDENCES in content.files else None
        skeleton = Skeleton.from_json(json.loads(str(layout)))
    except RecordingError:
        raise
    except (
        OSError,
        EOFError,
        TypeError,
        ValueError,
        LayoutError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
        TokenError,
    ) as error:
        raise RecordingError(f"{path}: expected a recording written by motionscribe, got {str(error)[:200]}") from error
    if rate_hz is not None:
        skeleton, times = replace(skeleton, rate_hz=rate_hz), even_times(len(frames), rate_hz)
    return Recording(path.stem, frames, times, skeleton, confidences=confidences)
