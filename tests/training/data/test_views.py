"""Virtual cameras: what they see of a body in space, where they stand, and that views of a motion stay together."""

from dataclasses import replace

import numpy as np
import pytest

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.mapping import mapped
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording
from motionscribe_training.data.dataset import make_dataset
from motionscribe_training.data.views import VIEWS, in_mirror, seen_from, views_of

PLAY = mapped(perform([("walk", 3.0), ("squat", 2.0)], seed=1).recording)
WAVE = mapped(perform([("wave", 3.0)], seed=2).recording)


def standing(*places: tuple[float, float, float]) -> Recording:
    """A body of a metre and a half whose joints are above such a place, frame by frame; pelvis at the place itself."""
    still = np.zeros((len(JOINTS), 3))
    still[JOINTS.index("head")] = 0, 0.6, 0
    still[JOINTS.index("left_wrist")] = 0.5, 0, 0
    frames = np.array(places)[:, None] + still
    whole = np.hstack([frames.reshape(len(places), -1), np.ones((len(places), 1))]).astype(np.float32)
    return replace(PLAY, frames=whole, timestamps_us=PLAY.timestamps_us[: len(places)])


def image_of(recording: Recording, joint: str) -> np.ndarray:
    return recording.frames[:, :-1].reshape(len(recording.frames), -1, 2)[:, JOINTS.index(joint)]


def test_a_camera_ahead_sees_left_at_its_right_and_one_behind_at_its_left() -> None:
    """The body faces z; its left is x. At 1000 px of focal length and 4 m, half a metre is 125 px."""
    body = standing((0, 1, 0), (0, 1, 0))
    for yaw, wrist in ((0, 125), (180, -125), (90, 0)):
        seen = seen_from(body, yaw, 0, 4.0)
        np.testing.assert_allclose(image_of(seen, "pelvis"), 0, atol=1e-3)
        np.testing.assert_allclose(image_of(seen, "head"), [[0, 150]] * 2, atol=1e-3)
        np.testing.assert_allclose(image_of(seen, "left_wrist")[:, 0], wrist, atol=1e-3)


def test_who_looks_down_sees_a_body_shortened_and_who_is_far_a_small_one() -> None:
    body = standing((0, 1, 0), (0, 1, 0))
    level, above, far = (image_of(seen_from(body, 0, *at), "head")[0, 1] for at in ((0, 4.0), (35, 4.0), (0, 8.0)))
    assert above < level
    assert far == pytest.approx(level / 2)


def test_a_camera_is_as_far_from_the_nearest_place_of_the_path_as_it_was_told() -> None:
    """Whoever comes nearer is larger: the path is 3 m long, to and from the camera."""
    body = standing((0, 1, -1.5), (0, 1, 1.5))
    head = image_of(seen_from(body, 0, 0, 3.0), "head")[:, 1] - image_of(seen_from(body, 0, 0, 3.0), "pelvis")[:, 1]
    np.testing.assert_allclose(head, [600 / 6, 600 / 3])


def test_a_joint_that_was_not_seen_is_in_no_image() -> None:
    body = standing((0, 1, 0), (0, 1, 0))
    body.frames[1, 3 * JOINTS.index("head")] = np.nan
    assert np.isnan(image_of(seen_from(body, 30, 10, 4.0), "head")).tolist() == [[False, False], [True, True]]


def test_a_mirror_turns_the_image_and_exchanges_the_sides() -> None:
    image = seen_from(PLAY, 40, 10, 4.0)
    mirror = in_mirror(image)
    np.testing.assert_array_equal(image_of(mirror, "left_knee"), image_of(image, "right_knee") * [-1, 1])
    np.testing.assert_array_equal(in_mirror(mirror).frames, image.frames)


def test_views_come_from_everywhere_by_the_seed_alone_and_all_recordings_stay_in_order() -> None:
    views = views_of([PLAY, WAVE], np.random.default_rng(3))
    assert [view.name.split(" ")[0] for view in views] == [PLAY.name, WAVE.name] * VIEWS
    assert {view.skeleton.representation for view in views} == {"body2d"}
    assert len({view.name.split(" from ")[1] for view in views}) == 2 * VIEWS
    again = views_of([PLAY, WAVE], np.random.default_rng(3))
    assert all(np.array_equal(a.frames, b.frames, equal_nan=True) for a, b in zip(views, again, strict=True))
    lost = [bool(np.isnan(view.frames).any()) for view in views]
    assert lost == [False, False, True, True] * (VIEWS // 2), "every second view is of a worse camera"
    sequences = make_dataset(views, 30.0).sequences
    assert [len(s) for s in sequences] == [len(sequences[0]), len(sequences[1])] * VIEWS


def test_an_image_is_not_seen_from_another_side() -> None:
    image = seen_from(PLAY, 0, 0, 4.0)
    with pytest.raises(RecordingError, match="expected a body in space, to be seen from all sides, got an image"):
        seen_from(image, 0, 0, 4.0)
