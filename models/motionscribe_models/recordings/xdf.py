"""XDF, as LabRecorder writes it: the first stream of type MoCap, with the recorder's times. Needs the extra `xdf`.

Channels are places of joints where channels.py knows them; else each is a feature. pyxdf synchronises clocks and takes
jitter out of the times.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import ContractError, MissingExtraError, RecordingError
from motionscribe_models.recordings.channels import place_channels
from motionscribe_models.recordings.keypoints import Clock, check_size, keypoint_recording, timed_clock
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.text import first_line
from motionscribe_models.skeleton import feature_skeleton

_FARTHEST_S = 1e12
"""Of times: more is none."""
_NUMBERS = ("int8", "int16", "int32", "int64", "float32", "double64")


def read_xdf(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for a file without such a stream, naming those it has; MissingExtraError without pyxdf."""
    try:
        import pyxdf
    except ImportError:
        raise MissingExtraError("xdf", f"reading {path.name}") from None
    try:
        stream = _load(path, pyxdf)
    except ContractError:
        raise
    except Exception as error:  # pyxdf raises whatever its parser happens to trip over
        raise RecordingError(f"{path}: expected an XDF file, got {first_line(error)}") from error
    with np.errstate(invalid="ignore"):  # bits of a float32 that are no usual NaN
        values = np.asarray(stream["time_series"], np.float64)
    seconds = np.asarray(stream["time_stamps"], np.float64)
    if values.ndim != 2 or len(values) < 2 or not (np.abs(seconds) < _FARTHEST_S).all():
        raise RecordingError(
            f"{path}: expected two samples or more with times, got {len(values)} in the stream {_name(stream)}"
        )
    times = np.asarray(np.rint(seconds * 1e6), np.int64)
    later = np.concatenate([[True], times[1:] > np.maximum.accumulate(times)[:-1]])
    if later.sum() < 2:
        raise RecordingError(f"{path}: expected times to increase, got none that do in the stream {_name(stream)}")
    notes = [f"stream: {_name(stream)}"]
    if not later.all():
        notes.append(f"{int((~later).sum())} samples left out, whose times are not later than those before")
    return _recording(path, stream, values[later], timed_clock(times[later], rate_hz), tuple(notes))


def _load(path: Path, pyxdf: Any) -> dict[str, Any]:
    """The first stream of type MoCap that holds numbers."""
    with path.open("rb") as file:  # pyxdf leaves one open that is none of its own
        streams = pyxdf.resolve_streams(file)
    wanted = [s for s in streams if str(s["type"]).lower() == "mocap" and s["channel_format"] in _NUMBERS]
    if not wanted:
        there = ", ".join(f"{s['name']} ({s['type']})" for s in streams[:8]) or "none"
        raise RecordingError(f"{path}: expected a stream of type MoCap with numbers, got {there}")
    with path.open("rb") as file:
        [stream], _ = pyxdf.load_xdf(file, select_streams=[wanted[0]["stream_id"]])
    check_size(path, len(stream["time_series"]), int(stream["info"]["channel_count"][0]))
    return dict(stream)


def _recording(
    path: Path, stream: dict[str, Any], values: NDArray[np.float64], clock: Clock, notes: tuple[str, ...]
) -> Recording:
    channels = _channels(stream)
    if len(channels) != values.shape[1]:
        channels = [{} for _ in range(values.shape[1])]
    places = place_channels(channels)
    if places is not None:
        found = places.keypoints(values)
        return keypoint_recording(path, "xdf", found, places.space(found), clock, (*places.notes, *notes))
    labels = tuple(channel.get("label", "") for channel in channels)
    if len(set(labels)) < len(labels) or not all(labels):
        labels = tuple(f"channel {n}" for n in range(1, len(channels) + 1))
    skeleton = feature_skeleton("features", labels, clock.rate_hz)
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, which Recording refuses
        return Recording(path.stem, values.astype(np.float32), clock.times_us, skeleton, notes)


def _channels(stream: dict[str, Any]) -> list[dict[str, str]]:
    """The fields of each channel; none where the stream does not describe them."""
    described = stream["info"].get("desc") or [None]
    found = ((described[0] or {}).get("channels") or [None])[0] or {}
    return [
        {key: str(value[0] or "").strip() for key, value in channel.items() if isinstance(value, list) and value}
        for channel in found.get("channel") or []
    ]


def _name(stream: dict[str, Any]) -> str:
    return str(stream["info"]["name"][0])[:40]
