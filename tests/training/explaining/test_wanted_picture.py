"""Features become places again, and a wish can be looked at."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from motionscribe_models.arrays import Array
from motionscribe_models.body.joints import JOINTS, SEEN
from motionscribe_models.body.proportions import REST
from motionscribe_models.errors import LayoutError
from motionscribe_models.features import FeatureMap
from motionscribe_models.repository import read_bundle
from motionscribe_training.explaining.feature_places import feature_places
from motionscribe_training.explaining.wanted_picture import MovingBody, draw_bodies, save_bodies_gif

MODELS = Path(__file__).parents[3] / "models"


def feature_map_of(name: str) -> FeatureMap:
    manifest = read_bundle(MODELS / name / "1").manifest
    return FeatureMap(manifest.skeleton, manifest.feature_joints)


@pytest.fixture(scope="module")
def feature_map() -> FeatureMap:
    return feature_map_of("body")


def standing(seconds: float, facing: float) -> Array:
    """Raw frames (n, 46) of a body of 1.3 sizes that stands and bends one arm, turned by `facing` radians."""
    seen = 1.3 * REST.copy()
    seen[SEEN.index("left_wrist")] += (0.1, 0.3, 0.2)
    seen[:, 1] -= seen[:, 1].min()
    cos, sin = np.cos(facing), np.sin(facing)
    turned = seen @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]]) + (3.0, 0, -2.0)
    middles = [
        turned[[SEEN.index(f"{side}_{part}") for side in ("left", "right")]].mean(0) for part in ("hip", "shoulder")
    ]
    frame = np.append(np.vstack([middles, turned]).ravel(), 1.0)
    return np.tile(frame, (round(30 * seconds), 1))


@pytest.mark.parametrize("facing", [0.0, 1.0, 3.0])
def test_places_are_those_of_the_body_in_its_own_axes(feature_map: FeatureMap, facing: float) -> None:
    frames = standing(10, facing)
    features = feature_map.features(feature_map.pose(frames), 1 / 30)
    places = feature_places(feature_map, features)[-1]
    there = frames[-1, :-1].reshape(-1, 3)
    apart, truly = (np.linalg.norm(joints[:, None] - joints, axis=2) for joints in (places, there))
    scale = apart.sum() / truly.sum()
    np.testing.assert_allclose(apart, scale * truly, atol=1e-3)
    np.testing.assert_allclose(places[:, 1], scale * there[:, 1], atol=0.02)  # over the floor
    assert places[JOINTS.index("left_hip"), 0] > places[JOINTS.index("right_hip"), 0]
    wrist, elbow = (places[JOINTS.index(f"left_{joint}")] for joint in ("wrist", "elbow"))
    unbent = REST[SEEN.index("left_wrist")] - REST[SEEN.index("left_elbow")]
    assert (wrist - elbow)[2] > unbent[2]  # it reaches forward


def test_an_image_has_places_and_rotations_have_none() -> None:
    flat = feature_map_of("body2d")
    places = feature_places(flat, np.ones((4, flat.width), np.float32))
    assert places.shape == (4, 15, 3)
    assert not places[..., 2].any()
    turned = feature_map_of("cmu-expmap")
    with pytest.raises(LayoutError, match="expected features of places of a body, got those of expmap"):
        feature_places(turned, np.zeros((4, turned.width), np.float32))


def test_bodies_stand_in_rows_and_move(feature_map: FeatureMap, tmp_path: Path) -> None:
    still = np.tile(np.vstack([REST[:1], REST[:1], REST]), (6, 1, 1))
    moving = still.copy()
    moving[:, JOINTS.index("left_wrist"), 2] += np.linspace(0, 0.5, 6)
    bodies = [MovingBody("still", still), MovingBody("moving", moving)]
    figure = draw_bodies(bodies, feature_map.skeleton, 30.0, "what it wants")
    figure.draw_without_rendering()
    assert [axes.get_ylabel() for axes in figure.axes[::7]] == ["still", "moving"]
    assert figure.axes[6].get_title() == "0.2 s"
    path = tmp_path / "wish.gif"
    save_bodies_gif(path, bodies, feature_map.skeleton, 30.0)
    with Image.open(path) as film:
        assert isinstance(film, GifImageFile)
        pictures = []
        for number in range(film.n_frames):
            film.seek(number)
            pictures.append(np.asarray(film.convert("RGB")).astype(int))
    assert len(pictures) == 6
    half = pictures[0].shape[1] // 2
    change = np.abs(pictures[5] - pictures[0]).sum(2) > 0
    assert change[:, half:].any()
    assert not change[:, :half].any()
