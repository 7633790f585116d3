"""Training of the pose model: it finds the joint that lies where it should not, and its seed is all its chance."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.support.anomaly_stream import PLANE

from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_server.session.anomaly.pose_model import LAGS, PREFIX, SHAPES, PoseModel
from motionscribe_training.fitting import pose_model as module
from motionscribe_training.fitting.pose_model import fit_pose_model, pose_inputs

SPACE = FeatureMap(BODY, tuple(range(2, 15)))
RATE, STRIDE = 30.0, 3
SCRIPT = [("walk", 10.0), ("wave", 8.0), ("squat", 8.0), ("idle", 4.0)]


def features_of(seed: int) -> NDArray[np.float32]:
    recording = mapped(perform(SCRIPT, seed=seed, rate_hz=60.0).recording)
    return recording_features(SPACE, recording.frames, recording.timestamps_us, RATE)


@pytest.fixture(scope="module")
def trained() -> PoseModel:
    """A short training on three performers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ITERATIONS", 400)
        torch.manual_seed(0)
        return PoseModel(SPACE, fit_pose_model(SPACE, [features_of(seed) for seed in (1, 2, 3)], STRIDE, 0))


@pytest.mark.parametrize("joint", ["left_wrist", "right_wrist", "left_elbow", "right_knee", "left_ankle", "head"])
def test_a_joint_out_of_its_place_has_the_largest_misfit(trained: PoseModel, joint: str) -> None:
    features = features_of(9)
    clean = trained.misfits(pose_inputs(features, STRIDE))
    at = SPACE.joints.index(BODY.joints.index(joint))
    moved = features.copy()
    moved[:, 3 * at : 3 * at + 3] += np.array([0.25, -0.2, 0.25], np.float32)
    misfits = trained.misfits(pose_inputs(moved, STRIDE))
    single = [place for place, group in enumerate(trained.groups) if len(group) == 1]
    found = np.array(single)[misfits[:, single].argmax(axis=1)]
    assert np.mean([trained.groups[place] == [SPACE.joints[at]] for place in found]) > 0.8
    assert np.median(misfits[:, at]) > 5 * np.median(clean[:, at])


def test_motion_that_was_not_learnt_from_fits_nearly_as_well(trained: PoseModel) -> None:
    """Misfits of a group are about 1 where the network expects what comes."""
    misfits = trained.misfits(pose_inputs(features_of(1), STRIDE))
    assert 0.2 < np.median(misfits) < 2
    others = trained.misfits(pose_inputs(features_of(9), STRIDE))
    assert np.median(others) < 5


def test_arrays_have_names_and_shapes_of_the_model_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ITERATIONS", 2)
    sequence = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    arrays = fit_pose_model(PLANE, [sequence], STRIDE, 0)
    assert arrays.keys() == {PREFIX + name for name in SHAPES}
    PoseModel(PLANE, arrays)  # it is not refused
    inputs = np.concatenate([pose_inputs(sequence[start:], STRIDE) for start in range(STRIDE)])
    np.testing.assert_allclose(arrays[f"{PREFIX}mean"], inputs.mean(axis=0), rtol=1e-5, atol=1e-6)


def test_a_sequence_as_a_mirror_shows_it_is_learnt_from_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean of what lies across is 0 then."""
    monkeypatch.setattr(module, "ITERATIONS", 1)
    mean = fit_pose_model(SPACE, [features_of(1)], STRIDE, 0)[f"{PREFIX}mean"]
    left, right = (SPACE.joints.index(BODY.joints.index(f"{side}_wrist")) for side in ("left", "right"))
    across = 3 * np.array([left, right])
    assert mean[across[0]] == pytest.approx(-mean[across[1]], abs=1e-5)
    assert mean[across[0] + 1] == pytest.approx(mean[across[1] + 1], abs=1e-5)
    assert mean[3 * SPACE.joints.index(BODY.joints.index("head"))] == pytest.approx(0, abs=1e-5)


def test_a_feature_that_never_changes_is_no_fault_of_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ITERATIONS", 2)
    sequence = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    sequence[:, 1] = 3.0
    arrays = fit_pose_model(PLANE, [sequence], STRIDE, 0)
    assert arrays[f"{PREFIX}scale"][1] == pytest.approx(module.LEAST_SCALE, rel=1e-3)
    assert np.isfinite(PoseModel(PLANE, arrays).misfits(pose_inputs(sequence, STRIDE))).all()


def test_inputs_are_the_newest_frame_and_how_it_changed() -> None:
    sequence = np.arange(30, dtype=np.float32)[:, None] ** 2
    inputs = pose_inputs(sequence, STRIDE)
    assert len(inputs) == 10
    newest = sequence[2::3, 0]
    assert inputs[:, 0].tolist() == newest.tolist()
    for column, lag in enumerate(LAGS, 1):
        wanted = [newest[n] - newest[max(0, n - lag)] for n in range(10)]
        assert inputs[:, column].tolist() == wanted


def test_the_seed_is_all_its_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ITERATIONS", 3)
    sequence = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one = fit_pose_model(PLANE, [sequence], STRIDE, 0)
    other = fit_pose_model(PLANE, [sequence], STRIDE, 0)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_another_seed_is_another_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ITERATIONS", 1)
    sequence = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    one, other = (fit_pose_model(PLANE, [sequence], STRIDE, seed)[f"{PREFIX}first"] for seed in (0, 1))
    assert not np.array_equal(one, other)
