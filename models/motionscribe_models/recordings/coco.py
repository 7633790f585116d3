"""Keypoints in COCO's JSON: annotations of images with x, y and visibility of each point, of people or animals.

The whole form has `images`, `annotations` and `categories`, whose keypoints are the names; the short one is the list of
annotations that detectors write. An image is a frame: coco_images.py tells which. Individuals are known by `track_id`,
else they are followed by their places. Flags 0, 1, 2 (labelled, visible) become confidences 0, 0.5, 1.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.coco_images import frame_numbers
from motionscribe_models.recordings.individuals import Pose, by_place, one_of
from motionscribe_models.recordings.json_text import as_list, as_number, as_object, mentions, read_json
from motionscribe_models.recordings.keypoint_names import COCO_17
from motionscribe_models.recordings.keypoints import Keypoints, check_size, frame_clock, keypoint_recording
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.spaces import image_space

_WHOSE = ("track_id", "idx")
Annotation = dict[str, Any]


def is_coco(path: Path) -> bool:
    """Whether a file speaks of keypoints in images. Raises RecordingError for what is no text."""
    return mentions(path, "keypoints", "image_id")


def read_coco(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the annotation whose keypoints are none, or whose image is not there."""
    whole = read_json(path)
    fields = {"annotations": whole} if isinstance(whole, list) else as_object(whole, f"{path}")
    annotations, places = _annotations(path, fields)
    kind, kind_notes = _category(annotations)
    joints = _joints(path, fields, kind)
    numbers = frame_numbers(path, fields.get("images"), [annotation["image_id"] for annotation in annotations])
    row = {number: n for n, number in enumerate(sorted(numbers.values()))}
    check_size(path, len(row), len(joints))
    frames: list[list[tuple[str, Pose]]] = [[] for _ in row]
    for annotation, n in zip(annotations, places, strict=True):
        if annotation.get("category_id") == kind:
            pose = _pose(f"{path}: annotations[{n}].keypoints", annotation["keypoints"], len(joints))
            if np.isfinite(pose[:, :2]).any():
                frames[row[numbers[annotation["image_id"]]]].append((_whose(annotation), pose))
    if all(name for frame in frames for name, _ in frame):
        people = [dict(frame) for frame in frames]
    else:
        people = by_place(path, [[pose for _, pose in frame] for frame in frames])
    values, notes = one_of(people, len(joints), 2)
    sure = values[:, :, 2]
    known = np.unique(sure[np.isfinite(sure)])
    if set(known.tolist()) <= {0, 1, 2} and 2 in known:
        sure = sure / 2
    clock = frame_clock(path, np.array(list(row), np.int64), rate_hz)
    one = Keypoints(joints, values[:, :, :2], sure)
    return keypoint_recording(path, "coco", one, image_space(one.places), clock, (*kind_notes, *notes))


def _annotations(path: Path, fields: dict[str, Any]) -> tuple[list[Annotation], list[int]]:
    """Those that have keypoints, not of crowds, and their places in the list."""
    found, places = [], []
    for n, annotation in enumerate(as_list(fields.get("annotations"), f"{path}: annotations")):
        if "keypoints" in as_object(annotation, f"{path}: annotations[{n}]") and annotation.get("iscrowd") != 1:
            found.append(annotation)
            places.append(n)
            if not isinstance(annotation.get("image_id"), int | str):
                raise RecordingError(f"{path}: annotations[{n}]: expected an image_id, got none")
    if not found:
        raise RecordingError(f"{path}: expected annotations with keypoints, got none")
    return found, places


def _category(annotations: list[Annotation]) -> tuple[Any, tuple[str, ...]]:
    """The id of the category that most annotations are of, and a note where there are others."""
    counts = Counter(str(annotation.get("category_id")) for annotation in annotations)
    [(name, count), *others] = counts.most_common()
    kind = next(a.get("category_id") for a in annotations if str(a.get("category_id")) == name)
    left_out = ", ".join(f"{other} ({count})" for other, count in others[:5])
    return kind, (f"category: {name}, of {count} annotations; left out: {left_out}",) if others else ()


def _joints(path: Path, fields: dict[str, Any], kind: Any) -> tuple[str, ...]:
    """The names of the category's keypoints; without any, those of COCO's people."""
    for n, category in enumerate(as_list(fields.get("categories", []), f"{path}: categories")):
        place = f"{path}: categories[{n}]"
        if as_object(category, place).get("id") == kind and category.get("keypoints"):
            return tuple(str(name) for name in as_list(category["keypoints"], f"{place}.keypoints"))
    return COCO_17


def _pose(place: str, keypoints: Any, joints: int) -> Pose:
    values = [as_number(value, place) for value in as_list(keypoints, place)]
    if len(values) != 3 * joints:
        raise RecordingError(f"{place}: expected x, y and visibility of {joints} points, got {len(values)} numbers")
    pose = np.array(values).reshape(-1, 3)
    pose[(pose == 0).all(axis=1), :2] = np.nan
    return pose


def _whose(annotation: Annotation) -> str:
    """A name for the individual, "" where the file has none."""
    track = next((annotation[key] for key in _WHOSE if isinstance(annotation.get(key), int | str)), None)
    return "" if track is None else f"track {track}"
