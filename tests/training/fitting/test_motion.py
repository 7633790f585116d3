"""Evidence frame by frame, and motion of whole recordings, against the definitions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from motionscribe.demo.performer import perform
from motionscribe_models.features import FeatureMap, moving_joints, recording_features
from motionscribe_models.recordings import CMU_EXPMAP
from motionscribe_server.session.evidence import Evidence
from motionscribe_training.fitting.motion import COMPONENTS, evidence_of, fit_motion


def performances() -> tuple[list[np.ndarray], np.ndarray]:
    """Features (m, F) of two, and what features count (F,)."""
    recordings = [perform([("walk", 4.0), ("wave", 4.0), ("squat", 4.0)], seed=s).recording for s in (1, 2)]
    feature_map = FeatureMap(CMU_EXPMAP, moving_joints(CMU_EXPMAP, [r.frames for r in recordings]))
    features = [recording_features(feature_map, r.frames, r.timestamps_us, 30.0) for r in recordings]
    return features, feature_map.normalisation(features)[1]


def test_motion_varies_by_one_in_all_half_of_it_pose() -> None:
    features, scale = performances()
    motion = fit_motion(features, scale)
    assert motion.shape == (2, features[0].shape[1], 2 * COMPONENTS)
    pose = np.vstack(features) @ motion[0][:, :COMPONENTS]
    change = np.vstack([np.diff(x, axis=0) for x in features]) @ motion[0][:, COMPONENTS:]
    np.testing.assert_allclose([pose.var(axis=0).sum(), change.var(axis=0).sum()], 0.5, rtol=1e-2)
    np.testing.assert_array_equal(motion[1], np.hstack([0 * motion[0][:, :COMPONENTS], -motion[0][:, COMPONENTS:]]))


def test_few_features_have_few_components() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    assert fit_motion([x], np.ones(3)).shape == (2, 3, 6)


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 99))
def test_evidence_is_motion_pooled_over_each_span_then_the_states(frames: int, stride: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, motion = rng.normal(size=(frames, 2)), rng.normal(size=(2, 2, 3))
    states = rng.normal(size=(frames // stride, 4, 2))
    evidence = evidence_of(features, states, motion, [7, 3], stride)
    assert len(evidence) == len(states)
    if len(states):
        vectors = features @ motion[0] + np.vstack([features[:1], features[:-1]]) @ motion[1]
        ends = range(stride, frames + 1, stride)
        for span, columns in ((7, evidence[:, :6]), (3, evidence[:, 6:12])):
            trails = [vectors[max(0, end - span) : end] for end in ends]
            expected = [np.concatenate([x.mean(axis=0), x.std(axis=0)]) for x in trails]
            np.testing.assert_allclose(columns, expected, atol=1e-7)
        means = states.mean(axis=1)
        for span, columns in (
            (max(1, round(7 / stride)), evidence[:, 12:16]),
            (max(1, round(3 / stride)), evidence[:, 16:]),
        ):
            trails = [means[max(0, end - span) : end] for end in range(1, len(means) + 1)]
            expected = [np.concatenate([x.mean(axis=0), x.std(axis=0)]) for x in trails]
            np.testing.assert_allclose(columns, expected, atol=1e-7)


def test_the_frame_before_the_first_is_itself_and_a_restart_forgets() -> None:
    motion = np.array([[[1.0, 1.0]], [[0.0, -1.0]]])  # pose, and change
    evidence, states = Evidence(motion, [2], 1), np.ones((1, 3, 1))
    for _ in range(2):
        assert Evidence.observe_many([evidence], np.array([[[5.0]]]), states).tolist() == [[5, 0, 0, 0, 1, 0]]
        assert Evidence.observe_many([evidence], np.array([[[7.0]]]), states * 3).tolist() == [[6, 1, 1, 1, 2, 1]]
        evidence.restart()
