"""A source whose sides are exchanged is found out by its knees, and nobody else is."""

from pathlib import Path

import numpy as np
import pytest

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.mapping import mapped
from motionscribe_models.body.plausibility import find_faults
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.recordings import read_recording

PLAY = mapped(perform([("squat", 4.0), ("walk", 3.0)], seed=1).recording).frames


def exchanged(frames: np.ndarray) -> np.ndarray:
    """The same frames with left for right."""
    partner = [JOINTS.index(n.replace("left", "L").replace("right", "left").replace("L", "right")) for n in JOINTS]
    places = frames[:, :-1].reshape(len(frames), -1, 3)[:, partner]
    return np.hstack([places.reshape(len(frames), -1), frames[:, -1:]])


def test_knees_that_bend_backwards_are_seen() -> None:
    assert find_faults(PLAY, BODY) == []
    (fault,) = find_faults(exchanged(PLAY), BODY)
    assert "the knees bend backwards" in fault


def test_a_body_on_its_head_is_seen() -> None:
    upside_down = PLAY.copy()
    places = upside_down[:, :-1].reshape(len(PLAY), -1, 3)
    places[..., 1:] *= -1
    assert any("the head is below the hips" in fault for fault in find_faults(upside_down, BODY))


def test_an_image_says_less() -> None:
    """There bones change their length, and nobody knows which way a knee bends; a camera on its head is levelled."""
    places = PLAY[:, :-1].reshape(len(PLAY), -1, 3)[..., :2]
    image = np.hstack([places.reshape(len(PLAY), -1), np.zeros((len(PLAY), 1))])
    assert find_faults(image, BODY2D) == []
    assert find_faults(image * -1, BODY2D) == []
    image[:, -1] = -1  # level, once it is turned round
    assert find_faults(image * -1, BODY2D) == ["the head is below the hips: is the up axis right?"]
    assert find_faults(image * np.nan, BODY2D) == ["nobody was seen in any frame"]


@pytest.mark.data
@pytest.mark.parametrize("path", ["sub86/01.mat", "cmu_raw/86_09.amc", "cmu8/walking_1.txt", "cmu8/jumping_1.txt"])
def test_people_are_plausible(data_dir: Path, path: str) -> None:
    frames = mapped(read_recording(data_dir / path)).frames[::4]
    assert find_faults(frames, BODY) == []
    assert find_faults(exchanged(frames), BODY) != []
