"""Keypoints in COCO's form: which image is which frame, who is who, and what a flag says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.recordings.keypoint_names import COCO_17

NAMES = ["nose", "left_hip", "right_hip"]


def note(image: Any, x: float, **more: Any) -> dict[str, Any]:
    """Three points around x, of which the last one is not labelled."""
    return {"image_id": image, "category_id": 1, "keypoints": [x, 50, 2, x + 10, 150, 1, 0, 0, 0], **more}


def film(annotations: list[Any], images: Any = None, **more: Any) -> dict[str, Any]:
    whole = {"annotations": annotations, "categories": [{"id": 1, "name": "person", "keypoints": NAMES}], **more}
    return whole if images is None else {"images": images, **whole}


def read(folder: Path, content: Any, rate_hz: float | None = None) -> Recording:
    (folder / "film.json").write_text(json.dumps(content))
    return read_recording(folder / "film.json", rate_hz)


def test_the_whole_form(tmp_path: Path) -> None:
    images = [{"id": n, "file_name": f"{n}.jpg"} for n in (3, 1, 2, 5)]
    recording = read(tmp_path, film([note(5, 130), note(1, 100), note(3, 120)], images))
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.representation, skeleton.units) == (tuple(NAMES), "positions2d", "px")
    assert recording.frames[:, 0].tolist() == pytest.approx([100, np.nan, 120, 130], nan_ok=True)
    assert np.isnan(recording.frames[:, 4:]).all()
    assert recording.confidences is not None
    assert recording.confidences.tolist() == [[1, 0.5, 0], [0, 0, 0], [1, 0.5, 0], [1, 0.5, 0]]
    assert recording.timestamps_us.tolist() == [0, 33_333, 66_667, 133_333]
    assert recording.notes == ("1 frames are missing", "no times in the file: taken for 30 Hz")


@pytest.mark.parametrize(
    ("images", "times"),
    [
        ([{"id": 1000 + 7 * n, "frame_id": n} for n in (0, 1, 4)], [0, 100_000, 400_000]),
        ([{"id": 1000 + 7 * n} for n in range(3)], [0, 100_000, 200_000]),  # ids that do not count
        ([{"id": f"film_0{n}.mp4"} for n in (1, 2, 3)], [0, 100_000, 200_000]),
        ([{"id": "a"}], [0]),
    ],
)
def test_numbers_of_images_are_times_where_they_count(
    tmp_path: Path, images: list[dict[str, Any]], times: list[int]
) -> None:
    recording = read(tmp_path, film([note(image["id"], 100) for image in images], images), 10.0)
    assert recording.timestamps_us.tolist() == times


def test_the_list_that_detectors_write_has_scores(tmp_path: Path) -> None:
    points = [[100 + n, 200 - n, 0.3] for n in range(17)]
    found = [
        {"image_id": f"{n}.jpg", "category_id": 1, "keypoints": np.ravel(points).tolist(), "score": 2.5}
        for n in (0, 1, 2, 3, 5)
    ]
    recording = read(tmp_path, found)
    assert recording.skeleton.joints == COCO_17
    assert recording.confidences is not None
    np.testing.assert_allclose(recording.confidences, 0.3)
    assert "1 frames are missing" in recording.notes


@pytest.mark.parametrize(("tracked", "names"), [(True, ("track 8", "track 4")), (False, ("person 2", "person 1"))])
def test_who_is_found_most_by_track_or_by_place(tmp_path: Path, tracked: bool, names: tuple[str, str]) -> None:
    ids = [{"track_id": 4}, {"track_id": 8}] if tracked else [{}, {}]
    here = [note(n, 100, **ids[0]) for n in range(3)]
    there = [note(n, 900, **ids[1]) for n in range(5)]
    recording = read(tmp_path, film([*here, *there]))
    assert recording.frames[:, 0].tolist() == [900] * 5
    assert f"individual: {names[0]}, found in 5 of 5 frames; left out: {names[1]} (3)" in recording.notes


def test_the_category_that_most_annotations_are_of(tmp_path: Path) -> None:
    dog = {"image_id": 1, "category_id": 2, "keypoints": [5, 5, 2]}
    recording = read(tmp_path, film([dog, note(1, 100), note(2, 100), {"image_id": 2, "bbox": [1, 2, 3, 4]}]))
    assert recording.skeleton.joints == tuple(NAMES)
    assert "category: 1, of 2 annotations; left out: 2 (1)" in recording.notes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (film([{"image_id": 1, "keypoint": []}], keypoints=1), "expected annotations with keypoints, got none"),
        (film([{"keypoints": [], "image_ids": 1}], image_id=1), r"annotations\[0\]: expected an image_id"),
        (film([note(1, 1), 7]), r"annotations\[1\]: expected an object, got 7"),
        (film([note(1, 1) | {"keypoints": [1, 2, 2]}]), r"annotations\[0\]\.keypoints: .* 3 points, got 3 numbers"),
        (film([note(1, 1) | {"keypoints": ["1"] * 9}]), r'annotations\[0\]\.keypoints: expected a number, got "1"'),
        (film([note(1, 1) | {"keypoints": "1"}]), r'annotations\[0\]\.keypoints: expected a list, got "1"'),
        (film([note(7, 1)], [{"id": 1}]), "expected images of all annotations, got none with id 7"),
        (film([note(1, 1)], [{"id": 1, "frame_id": 4}, {"id": 2, "frame_id": 4}]), "expected images of one film"),
        (film([note(1, 1)], [{"id": 1}, {"id": [2]}]), "images: expected a number or a name as id of each"),
        (film([note(1, 1)], {"id": 1}), "images: expected a list, got an object of id"),
        (film([note(1, 1)], [{"id": 1}, {"id": 1}]), "expected images of one film"),
        (film([note("a", 1), note("b", 1)]), "expected images of one film"),
        (film([note(1, 0) | {"keypoints": [0] * 9}]), "expected places of joints, found none in 1 frames"),
        (film([note(1, 1)], [{"id": n} for n in range(1, 10**5)]) | {"categories": [
            {"id": 1, "keypoints": ["p"] * 1000}]}, "expected at most 134217728 numbers"),
    ],
)  # fmt: skip
def test_json_of_something_else_is_refused(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(RecordingError, match=rf"film\.json: .*{said}"):
        read(tmp_path, content)
