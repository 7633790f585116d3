"""The table of representations: a new one is a class and a line, and everything else follows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.arrays import Array
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import LayoutError
from motionscribe_models.features import FeatureMap, moving_joints, recording_features
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import Recording, even_times, read_recording, write_recording
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.representations.base import STILL, ByTwoPoses, Indices, Layout
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.data.actions import join
from motionscribe_training.data.dataset import make_dataset
from motionscribe_training.data.mirror import mirrored

ROOT = Path(__file__).parents[2]


class Heights(ByTwoPoses):
    """A throw-away representation: how high each joint is, as from a row of floor-to-ceiling light curtains."""

    joint_features = (".height", ".climbing")
    root_features = ()
    rates = 0

    def columns(self, joints: Sequence[str]) -> tuple[str, ...]:
        return tuple(f"{joint}.h" for joint in joints)

    def places(self, joints: int) -> range:
        return range(0)

    def check(self, frames: np.ndarray) -> None:
        if (frames < 0).any():
            raise LayoutError("expected heights above the floor")

    def moving_joints(self, spread: Array, joints: int) -> Indices:
        return np.flatnonzero(spread > STILL)

    def pose(self, layout: Layout, joints: Indices, values: Array) -> Array:
        return values[:, joints] * layout.metres_per_unit

    def features(self, layout: Layout, poses: Array, before: Array, period_s: float) -> np.ndarray:
        both = np.stack([poses, (poses - before) / period_s], axis=2)
        return both.reshape(len(poses), -1).astype(np.float32)

    def joint_positions(self, layout: Layout, frames: np.ndarray) -> Array:
        return np.asarray(frames[:, :, None] * np.eye(3)[layout.up])

    def mirrored(
        self, layout: Layout, joints: Sequence[int], partners: Sequence[int], features: np.ndarray
    ) -> np.ndarray:
        order = [list(joints).index(partners[joint]) for joint in joints]
        return features.reshape(len(features), -1, 2)[:, order].reshape(features.shape)


@pytest.fixture
def curtain(monkeypatch: pytest.MonkeyPatch) -> Skeleton:
    monkeypatch.setitem(REPRESENTATIONS, "heights", Heights())  # the line in the table
    return Skeleton("curtain", ("belt", "left_hand", "right_hand"), (-1, 0, 0), "heights", "cm", 0.01, "y", 30.0)


def climb(skeleton: Skeleton) -> Recording:
    """One hand goes up by a centimetre a frame, the other stays."""
    frames = np.full((60, 3), 100.0, np.float32)
    frames[:, 1] += np.arange(60)
    return Recording("climb", frames, even_times(60, 30.0), skeleton)


def test_a_new_representation_needs_a_class_and_a_line(curtain: Skeleton, tmp_path: Path) -> None:
    recording = climb(curtain)
    assert curtain.columns == ("belt.h", "left_hand.h", "right_hand.h")
    assert Skeleton.from_json(curtain.to_json()) == curtain
    write_recording(recording, tmp_path / "climb.npz")
    assert read_recording(tmp_path / "climb.npz").skeleton == curtain

    assert moving_joints(curtain, [recording.frames]) == (1,)
    feature_map = FeatureMap(curtain, (1, 2))
    assert feature_map.names == (
        *("left_hand.height", "left_hand.climbing"),
        *("right_hand.height", "right_hand.climbing"),
    )
    assert feature_map.joint_of.tolist() == [1, 1, 2, 2]
    features = recording_features(feature_map, recording.frames, recording.timestamps_us, 30.0)
    assert features[10] == pytest.approx([1.1, 0.3, 1.0, 0.0], rel=1e-4)
    with pytest.raises(LayoutError, match="expected heights above the floor"):
        feature_map.check(-recording.frames)

    image = mirrored(features, feature_map)
    assert image is not None
    assert image[10] == pytest.approx([1.0, 0.0, 1.1, 0.3], rel=1e-4)
    assert joint_positions(curtain, recording.frames)[10, 1].tolist() == [0, 110, 0]
    assert make_dataset([recording], 30.0).feature_map.joints == (1,)
    joined, _ = join([recording, recording], ["climb", "climb"])
    assert joined.frames[60].tolist() == recording.frames[0].tolist()


def test_an_unknown_representation_is_refused_with_those_there_are(curtain: Skeleton) -> None:
    known = ", ".join(REPRESENTATIONS)
    with pytest.raises(LayoutError, match=f"curtain: expected a representation of {known}, got 'depths'"):
        replace(curtain, representation="depths")


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_representation_is_in_the_manual(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "5-model-folder.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "places"), [("expmap", [0]), ("quaternion", [0]), ("positions", [0, 3, 6]), ("features", [])]
)
def test_clips_are_shifted_where_they_stand_in_the_world(name: str, places: list[int]) -> None:
    assert list(REPRESENTATIONS[name].places(3)) == places


def test_a_body_has_the_canonical_joints_and_all_of_them_count() -> None:
    with pytest.raises(LayoutError, match=r"expected the joints pelvis, neck, head, .* of the canonical body, got hip"):
        replace(BODY, joints=("hip",), parents=(-1,))
    with pytest.raises(LayoutError, match="expected features of all joints of the canonical body"):
        FeatureMap(BODY, (2, 3, 4))
