"""OpenPose: a folder of JSON files, one a frame, with the people in it. The folder, or one of its files, goes in.

The number at the end of a file's name, before `_keypoints`, is its frame's; missing numbers are missing time. Points
are BODY_25 or COCO-18 by their number, in pixels or shares of the image; one that was not found is 0, 0 with
confidence 0. People whom OpenPose did not track (`person_id` -1) are followed by their places.
"""

import re
from pathlib import Path

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.files import files_in
from motionscribe_models.recordings.individuals import Pose, by_place, one_of
from motionscribe_models.recordings.json_text import as_list, as_number, as_object, mentions, read_json
from motionscribe_models.recordings.keypoint_names import OPENPOSE
from motionscribe_models.recordings.keypoints import Keypoints, check_size, frame_clock, keypoint_recording
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.spaces import image_space

_FRAME = re.compile(r"(?P<video>.*?)(?P<number>\d{1,15})(?:_keypoints)?\.json", re.IGNORECASE)
_POINTS = "pose_keypoints_2d"


def is_openpose(path: Path) -> bool:
    """Whether a file is a frame of OpenPose, or a folder has some. Raises RecordingError for what is no text."""
    if path.is_dir():
        return any(mentions(file, "people") for _, file in _frames_in(path)[:1])
    return _FRAME.fullmatch(path.name) is not None and mentions(path, "people")


def read_openpose(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the file of the frame that is none, and for frames of several videos."""
    folder = path if path.is_dir() else path.parent
    frames = _frames_in(folder)
    if not path.is_dir():
        frames = [(match, file) for match, file in frames if match["video"] == _video(path)]
    videos = sorted({match["video"] for match, _ in frames})
    if len(videos) > 1:
        raise RecordingError(
            f"{folder}: expected frames of one video, got {', '.join(map(repr, videos[:5]))}: name a file of one"
        )
    frames.sort(key=lambda frame: int(frame[0]["number"]))
    numbers = np.array([int(match["number"]) for match, _ in frames], np.int64)
    if (np.diff(numbers) == 0).any():
        twice = frames[int(np.argmin(np.diff(numbers)))][1]
        raise RecordingError(f"{twice}: expected each frame once, got two files of its number")
    people = [_people(file) for _, file in frames]
    joints = _joints(folder, people)
    check_size(folder, len(frames), len(joints))
    named = by_place(folder, [[pose for _, pose in frame] for frame in people])
    if all(name for frame in people for name, _ in frame):
        named = [dict(frame) for frame in people]
    values, notes = one_of(named, len(joints), 2)
    found = Keypoints(joints, values[:, :, :2], values[:, :, 2])
    clock = frame_clock(folder, numbers, rate_hz)
    return keypoint_recording(folder, f"openpose-{len(joints)}", found, image_space(found.places), clock, notes)


def _frames_in(folder: Path) -> list[tuple[re.Match[str], Path]]:
    """Files of frames, sorted by name."""
    return [(match, file) for file in files_in(folder) if (match := _FRAME.fullmatch(file.name))]


def _video(path: Path) -> str:
    match = _FRAME.fullmatch(path.name)
    return match["video"] if match else ""


def _people(file: Path) -> list[tuple[str, Pose]]:
    """The people of a frame, with the names by which OpenPose tracks them, "" where it does not."""
    people = as_list(as_object(read_json(file), f"{file}").get("people"), f"{file}: people")
    found = []
    for n, person in enumerate(people):
        place = f"{file}: people[{n}]"
        fields = as_object(person, place)
        numbers = [
            as_number(value, f"{place}.{_POINTS}") for value in as_list(fields.get(_POINTS), f"{place}.{_POINTS}")
        ]
        if len(numbers) // 3 not in OPENPOSE or len(numbers) % 3:
            known = " or ".join(str(3 * count) for count in OPENPOSE)
            raise RecordingError(f"{place}: expected {known} numbers, got {len(numbers)}")
        pose = np.array(numbers).reshape(-1, 3)
        pose[(pose == 0).all(axis=1), :2] = np.nan
        found.append((_name(fields.get("person_id")), pose))
    return found


def _name(person_id: object) -> str:
    """`person_id` is a list of one number, or a number; -1 is nobody known."""
    known = person_id[0] if isinstance(person_id, list) and person_id else person_id
    return f"person {known}" if isinstance(known, int) and known >= 0 else ""


def _joints(folder: Path, people: list[list[tuple[str, Pose]]]) -> tuple[str, ...]:
    """Names of the points that all people have."""
    counts = sorted({len(pose) for frame in people for _, pose in frame})
    if len(counts) != 1:
        got = " and ".join(map(str, counts)) or f"nobody in {len(people)} frames"
        raise RecordingError(f"{folder}: expected people of equally many points, got {got}")
    return OPENPOSE[counts[0]]
