"""Clips of a model's own clusters: they show the segment nearest to each centre, and a walk is called one."""

import numpy as np

from motionscribe.demo.performer import perform
from motionscribe_models.body.actions import ACTIONS
from motionscribe_models.body.joints import DERIVED, JOINTS
from motionscribe_models.body.mapping import mapped
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_server.session.exemplars import VALUES, clip_of
from motionscribe_server.session.segmenter import Penalty
from motionscribe_training.fitting.first_clusters import partition
from motionscribe_training.fitting.first_exemplars import first_exemplars

RATE, STRIDE = 30.0, 3
BODIES = FeatureMap(BODY, tuple(range(len(DERIVED), len(JOINTS))))
PENALTY = Penalty(4.5, 1.5, 30, 8, 4)
CENTRES = np.eye(2)


def recorded(actions: list[tuple[str, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Features, and an embedding that tells walking from everything else."""
    recording = mapped(perform(actions, rate_hz=60, seed=4).recording)
    features = recording_features(BODIES, recording.frames, recording.timestamps_us, RATE)
    walks = np.concatenate([np.full(round(seconds * RATE / STRIDE), name == "walk") for name, seconds in actions])
    return features, np.stack([walks, ~walks], axis=1)[: len(features) // STRIDE].astype(float)


def test_each_centre_is_shown_by_its_nearest_segment() -> None:
    features, embedding = recorded([("walk", 6.0), ("squat", 6.0)])
    found = first_exemplars([(features, partition(embedding, PENALTY))], CENTRES, STRIDE, BODIES, RATE)
    assert [ACTIONS[n] if n >= 0 else "" for n in found["centre_names"]] == ["walk", ""]
    for clip, part in zip(found["exemplars"], (features[:180], features[180:]), strict=True):
        wanted = clip_of(BODIES, part, RATE)
        assert wanted is not None
        near = np.abs(clip.astype(float) - wanted).max()
        assert near < 0.3, "the same action, though the cut may lie a moment elsewhere"


def test_without_a_segment_long_enough_there_are_none() -> None:
    features, embedding = recorded([("walk", 1.2)])
    assert first_exemplars([(features, partition(embedding, PENALTY))], CENTRES, STRIDE, BODIES, RATE) == {}


def test_features_without_places_have_none() -> None:
    plane = FeatureMap(feature_skeleton("plane", ("x", "y"), RATE), (0, 1))
    features = np.zeros((180, plane.width), np.float32)
    embedding = np.tile([1.0, 0.0], (60, 1))
    assert first_exemplars([(features, partition(embedding, PENALTY))], CENTRES, STRIDE, plane, RATE) == {}


def test_clips_are_small() -> None:
    features, embedding = recorded([("walk", 6.0), ("squat", 6.0)])
    found = first_exemplars([(features, partition(embedding, PENALTY))], CENTRES, STRIDE, BODIES, RATE)
    assert found["exemplars"].dtype == VALUES
    assert found["exemplars"].shape == (2, 16, len(BODY.columns))
