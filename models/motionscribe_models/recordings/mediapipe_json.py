"""JSON of MediaPipe's pose landmarks: 33 a frame, in the many wrappings that programs around it write.

A list of frames, or an object that has one. A frame is a list of landmarks, or of people, or an object with
`worldLandmarks` (or `pose_world_landmarks`, `poseLandmarks` and the like) and perhaps a time. One in which nobody was
found is empty or null. A landmark is an object with x, y, z and perhaps visibility. World coordinates are preferred.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.individuals import Pose, by_place, one_of
from motionscribe_models.recordings.json_text import as_list, as_number, kind_of_json, mentions, read_json
from motionscribe_models.recordings.keypoint_names import MEDIAPIPE_33
from motionscribe_models.recordings.keypoints import Clock, Keypoints, check_size, even_clock, timed_clock
from motionscribe_models.recordings.mediapipe import mediapipe_recording
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.times import is_time, read_times, unit_of

_WORLD = ("poseworldlandmarks", "worldlandmarks")
_IMAGE = ("poselandmarks", "normalizedlandmarks", "landmarks", "landmark", "keypoints")
_FRAMES = ("frames", "results", "data", "poses")
"""Keys, in lower case and without `_`."""
_SURE = ("visibility", "score", "presence")


def is_mediapipe(path: Path) -> bool:
    """Whether a file speaks of landmarks. Raises RecordingError for what is no text."""
    return mentions(path, "x", "y", "z")


def read_mediapipe_json(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the frame for what are no 33 landmarks."""
    whole = read_json(path)
    world = _has_world(whole)
    frames = _frames(path, whole, world)
    check_size(path, len(frames), len(MEDIAPIPE_33))
    poses = [_people(frame, f"{path}: frame {n}", world) for n, frame in enumerate(frames, 1)]
    values, notes = one_of(by_place(path, poses), len(MEDIAPIPE_33), 3)
    sure = None if np.isnan(values[:, :, 3]).all() else values[:, :, 3]
    found = Keypoints(MEDIAPIPE_33, values[:, :, :3], sure)
    return mediapipe_recording(path, found, "world" if world else "", _clock(path, frames, rate_hz), notes)


def _inner(value: Any, keys: tuple[str, ...]) -> Any:
    """What an object has under the first of these keys, None for none."""
    fields = {re.sub("[_ ]", "", key).lower(): inner for key, inner in value.items()} if isinstance(value, dict) else {}
    return next((fields[key] for key in keys if key in fields), None)


def _has_world(whole: Any) -> bool:
    """Whether a frame, or the whole, has world coordinates: then the others are not wanted."""
    frames = _inner(whole, _FRAMES) or whole
    return any(_inner(value, _WORLD) for value in ([whole, *frames] if isinstance(frames, list) else [whole]))


def _frames(path: Path, whole: Any, world: bool) -> list[Any]:
    if isinstance(whole, dict):
        inner = _inner(whole, _FRAMES) or _inner(whole, _WORLD if world else _IMAGE)
        if not isinstance(inner, list):
            raise RecordingError(
                f"{path}: expected frames of MediaPipe's landmarks, people of OpenPose or annotations of COCO, "
                f"got {kind_of_json(whole)}"
            )
        whole = inner
    frames = as_list(whole, f"{path}")
    if not frames:
        raise RecordingError(f"{path}: expected frames, got an empty list")
    return [frames] if _is_landmark(frames[0]) else frames


def _is_landmark(value: Any) -> bool:
    return isinstance(value, dict) and "x" in value


def _people(frame: Any, place: str, world: bool) -> list[Pose]:
    """The people of a frame; none where nobody was found."""
    while isinstance(frame, dict):  # landmarks may be wrapped twice
        frame = _inner(frame, _WORLD if world else _IMAGE) or _inner(frame, ("landmark",))
    if not frame:
        return []
    people = as_list(frame, place)
    people = [people] if _is_landmark(people[0]) else people
    return [_pose(person, place) for person in people if person]


def _pose(person: Any, place: str) -> Pose:
    if isinstance(person, dict):
        person = _inner(person, ("landmark", *_WORLD, *_IMAGE))
    landmarks = as_list(person, place)
    if len(landmarks) != len(MEDIAPIPE_33):
        raise RecordingError(f"{place}: expected {len(MEDIAPIPE_33)} landmarks, got {len(landmarks)}")
    pose = np.full((len(landmarks), 4), np.nan)
    for number, landmark in enumerate(landmarks):
        where = f"{place}, landmark {number}"
        if not _is_landmark(landmark):
            raise RecordingError(f"{where}: expected an object with x, y and z, got {kind_of_json(landmark)}")
        sure = next((landmark[key] for key in _SURE if key in landmark), None)
        # z is left out by who wants places in the image
        values = (landmark["x"], landmark.get("y"), landmark.get("z", 0), sure)
        pose[number] = [as_number(value, where) for value in values]
    return pose


def _clock(path: Path, frames: list[Any], rate_hz: float | None) -> Clock:
    """The times that frames have beside their landmarks, else the rate."""
    first = frames[0] if isinstance(frames[0], dict) else {}
    name = next((key for key in first if is_time(key)), None)
    if name is None or rate_hz is not None or len(frames) < 2:
        return even_clock(path, len(frames), rate_hz)
    cells = []
    for n, frame in enumerate(frames, 1):
        if not isinstance(frame, dict) or not isinstance(frame.get(name), int | float | str):
            raise RecordingError(f"{path}: frame {n}: expected a {name}, as in frame 1, got {kind_of_json(frame)}")
        cells.append(str(frame[name]))
    times, read_as = read_times(name, cells, lambda row: f"{path}: frame {row + 1}")
    clock = timed_clock(times, None)
    return clock if unit_of(name) else Clock(clock.times_us, clock.rate_hz, (f"{name} read as {read_as}",))
