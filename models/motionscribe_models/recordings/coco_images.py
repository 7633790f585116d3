"""Which frame of a film an image of COCO's JSON is: images, or ids that annotations name, go in, numbers come out."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.json_text import as_list, as_object

_NUMBERS = ("frame_id", "frame_number", "frame_idx")
Id = int | str


def frame_numbers(path: Path, images: object, named: Sequence[Id]) -> dict[Id, int]:
    """A number for each image, by its id. An image without annotations is a frame, too.

    It is `frame_id` and the like where all images have one; else the id, or the number in it (`12.jpg`), where ids
    count one by one; else the place in the order of ids. Raises RecordingError for an image that is not there, and for
    images of several films.
    """
    ids = list(dict.fromkeys(named))
    entries: list[dict[str, Any]] = [{"id": image} for image in ids]
    if images:
        entries = [as_object(image, f"{path}: images") for image in as_list(images, f"{path}: images")]
        if not all(isinstance(image.get("id"), int | str) for image in entries):
            raise RecordingError(f"{path}: images: expected a number or a name as id of each, got others")
        if unknown := set(ids) - {image["id"] for image in entries}:
            got = min(map(str, unknown))[:40]
            raise RecordingError(f"{path}: expected images of all annotations, got none with id {got}")
        ids = [image["id"] for image in entries]
    key = next((key for key in _NUMBERS if all(isinstance(image.get(key), int) for image in entries)), None)
    numbers = [int(image[key]) for image in entries] if key else [_number_in(image) for image in ids]
    if len(set(numbers)) < len(numbers) or len(set(ids)) < len(ids):
        raise RecordingError(f"{path}: expected images of one film, each with a number of its own, got some twice")
    if max(map(abs, numbers)) > 1 << 53 or (key is None and not _counts(numbers)):
        order = {number: n for n, number in enumerate(sorted(numbers))}
        numbers = [order[number] for number in numbers]
    return dict(zip(ids, numbers, strict=True))


def _number_in(image: Id) -> int:
    """The id itself, or the last number in the name of a file; -1 where it has none."""
    if isinstance(image, int):
        return image
    digits = re.findall(r"\d{1,15}", PurePath(image).stem)
    return int(digits[-1]) if digits else -1


def _counts(numbers: Sequence[int]) -> bool:
    return len(numbers) < 2 or float(np.median(np.diff(np.sort(np.array(numbers, np.float64))))) == 1
