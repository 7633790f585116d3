"""The project's own file of a recording: `.npz` with frames, timestamps_us and the skeleton as JSON; no pickle.

Confidences are there where the source has them. What was recorded of a live feed also has arrived_us, when each frame
came, and feed, the name of its scheme: timestamps_us are then the sender's, as they came. It may lie in pieces, frames,
frames.1, frames.2, and so on, since it is written while it comes.

What `write_npz` writes, `read_npz` returns unchanged, all but the name, which is the file's, and the notes; so do
`append_take` and `read_take`.
"""

import json
import math
import shutil
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError, RecordingError
from motionscribe_models.new_file import new_file
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.take import Take
from motionscribe_models.skeleton import Skeleton

KEYS = ("frames", "skeleton", "timestamps_us")
CONFIDENCES = "confidences"
ARRIVED, FEED = "arrived_us", "feed"
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""What reads the header of an array, by version of numpy's format."""
Arrays = dict[str, NDArray[Any]]


def write_npz(recording: Recording, path: Path) -> None:
    """Writes all of a recording but its notes. Raises OSError."""
    arrays = _arrays(recording.frames, recording.timestamps_us, recording.confidences)
    arrays["skeleton"] = _layout(recording.skeleton)
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def append_take(take: Take, path: Path, pieces: int) -> None:
    """Adds frames to a file that holds so many pieces of the take, 0 for a new one; complete before and after.

    Raises OSError.
    """
    arrays = _arrays(take.frames, take.times_us, take.confidences) | {ARRIVED: take.arrived_us}
    if pieces:
        arrays = {f"{name}.{pieces}": array for name, array in arrays.items()}
    else:
        arrays |= {"skeleton": _layout(take.skeleton), FEED: np.array(take.feed)}
    with new_file(path) as beside:
        if pieces:
            shutil.copyfile(path, beside)
        with zipfile.ZipFile(beside, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)


def read_npz(path: Path, rate_hz: float | None = None) -> Recording:
    """Of a take, what a stream would make of it. Raises RecordingError for a foreign, truncated or pickled file."""
    arrays, skeleton = _read(path)
    if ARRIVED in arrays:
        recording = _take(path, arrays, skeleton).in_order()
    else:
        frames = arrays["frames"]
        times = arrays["timestamps_us"] if rate_hz is None else even_times(len(frames), rate_hz)
        recording = Recording(path.stem, frames, times, skeleton, confidences=arrays.get(CONFIDENCES))
    if rate_hz is None:
        return recording
    times = even_times(len(recording.frames), rate_hz)
    return replace(recording, skeleton=replace(skeleton, rate_hz=rate_hz), timestamps_us=times)


def read_take(path: Path) -> Take | None:
    """What came, as it came; None for a file of another kind. Raises RecordingError as `read_npz` does."""
    try:
        with zipfile.ZipFile(path) as archive:
            is_take = f"{ARRIVED}.npy" in archive.namelist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return None
    return _take(path, *_read(path)) if is_take else None


def _take(path: Path, arrays: Mapping[str, NDArray[Any]], skeleton: Skeleton) -> Take:
    feed = str(arrays[FEED]) if FEED in arrays else ""
    times, arrived = arrays["timestamps_us"], arrays[ARRIVED]
    return Take(path.stem, arrays["frames"], times, arrived, skeleton, feed, arrays.get(CONFIDENCES))


def _arrays(frames: NDArray[Any], times: NDArray[Any], confidences: NDArray[Any] | None) -> Arrays:
    arrays = {"frames": frames, "timestamps_us": times}
    return arrays if confidences is None else arrays | {CONFIDENCES: confidences}


def _layout(skeleton: Skeleton) -> NDArray[Any]:
    return np.array(json.dumps(skeleton.to_json()))


def _read(path: Path) -> tuple[Arrays, Skeleton]:
    """Each array, its pieces joined, and the skeleton."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            pieces: dict[str, list[tuple[int, str]]] = defaultdict(list)
            for name in content.files:
                kind, _, number = name.partition(".")
                pieces[kind].append((int(number or 0), name))
            if sorted(pieces.keys() - {CONFIDENCES, ARRIVED, FEED}) != list(KEYS):
                raise RecordingError(f"{path}: expected the arrays {', '.join(KEYS)}, got {', '.join(content.files)}")
            arrays = {
                kind: _joined([_array(content.zip, name) for _, name in sorted(names)])
                for kind, names in pieces.items()
            }
        if arrays["frames"].ndim != 2:
            raise RecordingError(f"{path}: expected frames (n, D), got shape {arrays['frames'].shape}")
        return arrays, Skeleton.from_json(json.loads(str(arrays["skeleton"])))
    except RecordingError:
        raise
    except (
        OSError,
        EOFError,
        TypeError,
        ValueError,
        LayoutError,
        NotImplementedError,
        RecursionError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
        TokenError,
    ) as error:
        raise RecordingError(f"{path}: expected a recording written by motionscribe, got {str(error)[:200]}") from error


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array of the file. Raises ValueError where its header promises more than there is: nobody asks for that memory."""
    try:
        member = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise ValueError(f"{name}, which is no array") from None
    with archive.open(member) as content:
        version = np.lib.format.read_magic(content)
        read_header = HEADERS.get(version)
        if read_header is None:
            raise ValueError(f"{name} in version {version} of the format")
        shape, _, dtype = read_header(content)
        size = math.prod(shape) * dtype.itemsize
        if size > member.file_size:
            raise ValueError(f"{name}, of which {size} bytes are promised and {member.file_size} are there")
    with archive.open(member) as content:
        array: NDArray[Any] = np.lib.format.read_array(content, allow_pickle=False)
    return array


def _joined(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
