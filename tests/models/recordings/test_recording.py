"""What a recording may hold: joints that were not seen and how sure the source was, and nothing that is no number."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.errors import LayoutError, RecordingError
from motionscribe_models.features import FeatureMap
from motionscribe_models.recordings import Recording, even_times, read_recording, write_recording
from motionscribe_models.skeleton import Skeleton

HAND = Skeleton("hand", ("wrist", "thumb"), (-1, 0), "positions", "m", 1.0, "-y", 30.0)


def recording(frames: np.ndarray, skeleton: Skeleton = HAND, confidences: np.ndarray | None = None) -> Recording:
    return Recording("take", frames, even_times(len(frames), 30.0), skeleton, confidences=confidences)


@pytest.mark.parametrize("representation", ["positions", "positions2d"])
def test_joints_that_were_not_seen_are_kept_with_how_sure_the_source_was(tmp_path: Path, representation: str) -> None:
    skeleton = replace(HAND, representation=representation)
    frames = np.random.default_rng(0).normal(size=(4, skeleton.width)).astype(np.float32)
    frames[2, skeleton.width // 2 :] = np.nan
    sure = np.array([[1, 1], [1, 0.5], [1, 0], [1, 1]], np.float32)
    write_recording(recording(frames, skeleton, sure), tmp_path / "take.npz")
    back = read_recording(tmp_path / "take.npz")
    np.testing.assert_array_equal(back.frames, frames)
    np.testing.assert_array_equal(back.confidences, sure)
    assert back.skeleton == skeleton
    with pytest.raises(LayoutError, match=r"expected the place of every joint, got none in frame 3, column \d"):
        FeatureMap(skeleton, (1,)).check(frames)


def test_a_rotation_that_is_not_there_is_refused() -> None:
    frames = np.full((2, 9), np.nan, np.float32)
    with pytest.raises(RecordingError, match=r"expected finite numbers, got nan in frame 1, column root\.tx"):
        recording(frames, replace(HAND, representation="expmap"))


def test_a_place_beyond_all_numbers_is_refused() -> None:
    frames = np.full((2, 6), np.inf, np.float32)
    with pytest.raises(RecordingError, match=r"expected finite numbers, got inf in frame 1, column wrist.x"):
        recording(frames)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (2,)])
def test_confidences_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RecordingError, match=r"expected float32 confidences of shape \(2, 2\)"):
        recording(np.zeros((2, 6), np.float32), confidences=np.ones(shape, np.float32))


@pytest.mark.parametrize(("axis", "index", "sign"), [("x", 0, 1), ("-y", 1, -1), ("z", 2, 1)])
def test_up_may_be_any_axis_either_way(axis: str, index: int, sign: int) -> None:
    skeleton = replace(HAND, up_axis=axis)
    assert (skeleton.up, skeleton.up_sign) == (index, sign)
    poses = FeatureMap(skeleton, (1,)).pose(np.arange(12.0).reshape(2, 6))
    height = FeatureMap(skeleton, (1,)).features(poses, 0.1)[:, 3]
    np.testing.assert_array_equal(height, sign * np.array([[0, 1, 2], [6, 7, 8]])[:, index])


def test_an_axis_that_is_none_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"expected up axis x, y, z, -x, -y, -z, got 'up'"):
        replace(HAND, up_axis="up")
