"""The misfit of groups of joints: which groups there are, what the network says, what a stream remembers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.anomaly_arrays import made_up_anomaly
from tests.support.anomaly_stream import PLANE
from tests.support.plain_state import going_on, same

from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.errors import LayoutError
from motionscribe_models.features import FeatureMap
from motionscribe_models.skeleton import Skeleton
from motionscribe_server.session.anomaly.pose_model import (
    LAGS,
    NARROWEST,
    PREFIX,
    SHAPES,
    WIDEST,
    PoseMemory,
    PoseModel,
    groups_of,
    places_of,
)
from motionscribe_training.fitting.pose_model import pose_inputs

SPACE = FeatureMap(BODY, tuple(range(2, 15)))
ARM = [BODY.joints.index(f"left_{joint}") for joint in ("shoulder", "elbow", "wrist")]


def random_arrays(feature_map: FeatureMap, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """A network whose weights are chance."""
    rng = np.random.default_rng(seed)
    arrays = {name: own for name, own in made_up_anomaly(feature_map, 2).items() if name.startswith(PREFIX)}
    arrays = {name: rng.normal(0, 0.3, own.shape) for name, own in arrays.items()}
    arrays[f"{PREFIX}scale"] = 0.5 + np.abs(arrays[f"{PREFIX}scale"])
    return arrays


def inputs_for(feature_map: FeatureMap, streams: int) -> np.ndarray:
    width = feature_map.width * (1 + len(LAGS))
    return np.random.default_rng(1).normal(size=(streams, width)).astype(np.float32)


def slow_misfit(feature_map: FeatureMap, arrays: dict[str, NDArray[np.float64]], x: np.ndarray) -> list[float]:
    """Group by group, in float64."""
    part = {name: arrays[PREFIX + name] for name in SHAPES}
    y = (x - part["mean"]) / part["scale"]
    found = []
    for group, own in enumerate(places_of(feature_map, groups_of(feature_map))):
        seen = y.copy()
        seen[own] = 0
        hidden = np.maximum(seen @ part["first"] + part["group"][group], 0)
        hidden = np.maximum(hidden @ part["second"] + part["second_bias"], 0)
        out = hidden @ part["last"] + part["last_bias"]  # means of all inputs, then logarithms of variances
        expected, variance = out[own], out[len(x) + own]
        found.append(float(np.mean((y[own] - expected) ** 2 / np.exp(np.clip(variance, NARROWEST, WIDEST)))))
    return found


def test_groups_of_a_body() -> None:
    groups = groups_of(SPACE)
    assert groups[:13] == [[joint] for joint in range(2, 15)]
    assert groups[-1] == [], "the whole's motion"
    names = [{BODY.joints[joint] for joint in group} for group in groups[13:-1]]
    wanted = [{f"{side}_{part}" for part in parts} for side in ("left", "right") for parts in (
        ("shoulder", "elbow", "wrist"), ("elbow", "wrist"), ("hip", "knee", "ankle"), ("knee", "ankle"),
    )]  # fmt: skip
    assert sorted(map(sorted, names)) == sorted(map(sorted, wanted))


def test_groups_without_a_tree_are_single_joints() -> None:
    assert groups_of(PLANE) == [[0], [1]], "no root features, no group of the whole"
    camera = FeatureMap(Skeleton("camera", ("a", "b", "c"), (-1, -1, -1), "positions", "m", 1.0, "y", 30.0), (1, 2))
    assert groups_of(camera) == [[1], [2], []]


def test_a_chain_of_more_than_half_of_the_body_is_no_group() -> None:
    names = ("root", "a", "b", "c", "d")
    chain = FeatureMap(Skeleton("chain", names, (-1, 0, 1, 2, 3), "positions", "m", 1.0, "y", 30.0), (1, 2, 3, 4))
    assert groups_of(chain) == [[1], [2], [3], [4], [3, 4], []]


def test_a_joint_that_is_not_chosen_is_in_no_group_but_joins_those_below() -> None:
    names = ("root", "a", "b", "c", "d", "e", "f")
    tree = Skeleton("tree", names, (-1, 0, 1, 2, 0, 0, 0), "positions", "m", 1.0, "y", 30.0)
    assert groups_of(FeatureMap(tree, (1, 3, 4, 5))) == [[1], [3], [4], [5], [1, 3], []]


@pytest.mark.parametrize(
    "feature_map", [SPACE, FeatureMap(BODY2D, SPACE.joints), PLANE], ids=["body", "image", "plane"]
)
def test_places_of_a_group_are_its_features_and_their_changes(feature_map: FeatureMap) -> None:
    groups, width = groups_of(feature_map), feature_map.width
    roots = len(feature_map.representation.root_features)
    for group, places in zip(groups, places_of(feature_map, groups), strict=True):
        of = feature_map.joint_of.copy()
        of[width - roots :] = -1  # the root's
        own = np.flatnonzero(np.isin(of, group or [-1]))
        assert sorted(places) == sorted(np.concatenate([own + width * part for part in range(1 + len(LAGS))]))


@pytest.mark.parametrize("feature_map", [SPACE, PLANE], ids=["body", "plane"])
def test_misfits_are_those_of_a_slow_twin(feature_map: FeatureMap) -> None:
    arrays = random_arrays(feature_map)
    inputs = inputs_for(feature_map, 5)
    wanted = [slow_misfit(feature_map, arrays, x) for x in inputs]
    np.testing.assert_allclose(PoseModel(feature_map, arrays).misfits(inputs), wanted, rtol=1e-3)


@pytest.mark.parametrize("streams", [2, 7, 64])
def test_misfits_do_not_depend_on_who_else_is_there(streams: int) -> None:
    model, inputs = PoseModel(SPACE, random_arrays(SPACE)), inputs_for(SPACE, streams)
    together = model.misfits(inputs)
    alone = np.concatenate([model.misfits(inputs[n : n + 1]) for n in range(streams)])
    assert together.tobytes() == alone.tobytes()


def test_where_a_group_is_expected_does_not_depend_on_where_it_is() -> None:
    """Its features are masked: a misfit is a parabola in what is added to them, so the third difference is 0."""
    model = PoseModel(SPACE, random_arrays(SPACE))
    shift = np.arange(5, dtype=np.float32)[:, None]
    for place, own in enumerate(places_of(SPACE, model.groups)):
        inputs = inputs_for(SPACE, 1).repeat(len(shift), axis=0)
        inputs[:, own] += shift
        misfits = model.misfits(inputs)[:, place]
        assert np.diff(misfits, 2).min() > 0
        np.testing.assert_allclose(np.diff(misfits, 3), 0, atol=1e-3 * misfits.max())


@given(st.integers(1, 30), st.sampled_from([1, 3, 8]), st.integers(0, 99))
def test_a_stream_remembers_what_training_shows_of_a_whole_sequence(moments: int, stride: int, seed: int) -> None:
    sequence = np.random.default_rng(seed).normal(size=(moments * stride + seed % stride, 4)).astype(np.float32)
    memory = PoseMemory()
    rows = [memory.add(sequence[n * stride : (n + 1) * stride]) for n in range(moments)]
    assert same(np.array(rows), np.asarray(pose_inputs(sequence, stride)))


@given(st.integers(0, 12))
def test_a_memory_restored_from_its_state_goes_on_to_the_bit(cut: int) -> None:
    frames = np.random.default_rng(0).normal(size=(20, 3, 4)).astype(np.float32)
    one, other = PoseMemory(), PoseMemory()
    for moment in frames[:cut]:
        one.add(moment)
    other.add(frames[-1])  # what it held before does not matter
    with going_on(one, other):
        for moment in frames[cut:]:
            assert same(one.add(moment), other.add(moment))
    one.restart()
    assert same(one.add(frames[0]), PoseMemory().add(frames[0]))


def test_a_memory_keeps_no_frames_of_the_caller() -> None:
    frames, memory = np.ones((3, 4), np.float32), PoseMemory()
    memory.add(frames)
    frames[:] = 7
    assert memory.add(np.ones((3, 4), np.float32)).tolist() == [1] * 4 + [0] * 8


@pytest.mark.parametrize("name", SHAPES)
def test_an_array_of_a_wrong_shape_is_refused_by_its_name(name: str) -> None:
    arrays = random_arrays(SPACE)
    array = arrays[PREFIX + name]
    wider = np.concatenate([array, array[..., :1]], axis=-1)
    # the width of the hidden layers is that of `group`: the next array is at fault
    found = "first" if name == "group" else name
    with pytest.raises(LayoutError, match=rf"^{PREFIX}{found}: expected shape \(.*\), got \("):
        PoseModel(SPACE, {**arrays, PREFIX + name: wider})
    with pytest.raises(LayoutError, match=rf"^{PREFIX}{name}: expected shape"):
        PoseModel(SPACE, {**arrays, PREFIX + name: array[:-1]})


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan])
def test_a_scale_that_is_not_above_0_is_refused(scale: float) -> None:
    arrays = random_arrays(SPACE)
    arrays[f"{PREFIX}scale"][7] = scale
    with pytest.raises(LayoutError, match=f"{PREFIX}scale: expected values above 0"):
        PoseModel(SPACE, arrays)


def test_a_network_of_another_body_is_refused() -> None:
    smaller = FeatureMap(replace(BODY, representation="positions"), (1, 2))
    with pytest.raises(LayoutError, match=PREFIX):
        PoseModel(SPACE, random_arrays(smaller))
