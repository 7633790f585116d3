"""Layers that hold actions together are told from those that do not, and from untrained networks; pictures show it."""

import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from tests.training.explaining.test_layers import watched_of

from motionscribe_models.arrays import Single
from motionscribe_models.recordings import read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import ServedModel
from motionscribe_training.data.annotations import find_annotation
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.geometry import LayerGeometry, Verdict, best, geometry
from motionscribe_training.explaining.geometry_picture import classical_mds, layers_figure, map_figure
from motionscribe_training.explaining.layers import INPUT
from motionscribe_training.explaining.network import network_of, untrained
from motionscribe_training.explaining.smoothness import Null
from motionscribe_training.explaining.watched import Watched, watch
from motionscribe_training.network.seq2seq import Seq2Seq

F, H, STEPS, MOMENTS = 6, 8, 3, 12
ACTIONS = ("walk", "wave", "sit")


def watched_actions(seed: int, order: tuple[int, ...], loud: float = 3.0) -> Watched:
    """Segments of ACTIONS, which feature 0 tells apart; the others are different in each segment, and `loud`."""
    random = np.random.default_rng(seed)
    frames = MOMENTS * 3
    features: Single = random.standard_normal((len(order) * frames, F)).astype(np.float32)
    features[:, 0] = 0.1 * features[:, 0] + np.repeat(2 * np.array(order), frames)
    features[:, 1:] += np.repeat(loud * random.standard_normal((len(order), F - 1)), frames, axis=0)
    return watched_of(features, tuple(ACTIONS[action] for action in order for _ in range(MOMENTS)))


def network_that_sees(feature: int | None) -> Seq2Seq:
    """A network whose states see one feature alone; of None, what chance gave it."""
    torch.manual_seed(0)
    network = Seq2Seq(F, H)
    if feature is not None:
        with torch.no_grad():
            seen = network.weight_ih[:, feature].clone()
            network.weight_ih.zero_()
            network.weight_ih[:, feature] = seen
    network.pca_components = torch.eye(H)[:4].clone()
    return network.eval()


ORDERS = (0, 1, 2, 0, 1, 2, 1, 0, 2, 0, 2, 1)


@pytest.fixture(scope="module")
def parts() -> list[Watched]:
    return [watched_actions(seed, ORDERS) for seed in (1, 2)]


@pytest.fixture(scope="module")
def found(parts: list[Watched]) -> list[LayerGeometry]:
    network = network_that_sees(0)
    return geometry(network, [untrained(network, seed) for seed in range(3)], parts, STEPS, 0)


def test_a_network_that_sees_what_tells_actions_apart_beats_both(found: list[LayerGeometry]) -> None:
    layers = {layer.layer: layer for layer in found}
    for name in ("state", "last state", "decoder states", "PCA 4"):
        assert layers[name].verdict is Verdict.BOTH, name
        assert layers[name].vote > 0.9
        assert layers[name].cross_label_mass < 0.3
        assert len(layers[name].untrained) == 3
    assert layers[INPUT].untrained == (layers[INPUT].smoothness,) * 3
    assert layers[INPUT].verdict is not Verdict.BOTH
    assert best(found).layer != INPUT
    assert best(found).smoothness == min(layer.smoothness for layer in found[1:])


def test_one_that_sees_what_tells_nothing_is_seldom_said_to() -> None:
    network, better = network_that_sees(1), 0
    for seed in range(8):
        layers = {layer.layer: layer for layer in geometry(network, [], [watched_actions(seed, ORDERS)], STEPS, 0)}
        better += layers["state"].verdict is not Verdict.NEITHER
    assert better <= 1  # each is in 2.5 of 100 draws


def test_a_network_like_its_controls_does_not_beat_them() -> None:
    quiet = watched_actions(1, ORDERS, loud=0.1)
    network = untrained(network_that_sees(None), 0)
    network.pca_components = torch.eye(H)[:4].clone()
    layers = geometry(network, [network], [quiet], STEPS, 0)
    assert {layer.layer: layer.verdict for layer in layers[:7]} == dict.fromkeys(
        (layer.layer for layer in layers[:7]), Verdict.CHANCE
    )
    for layer in layers[:7]:
        assert layer.untrained == (layer.smoothness,)


def test_a_label_of_two_recordings_is_one_and_a_single_one_is_left_out() -> None:
    first, second = watched_actions(1, (0, 1, 2)), watched_actions(2, (0, 1))
    network = network_that_sees(0)
    layer = geometry(network, [], [first, second], STEPS, 0)[0]
    assert layer.segments == ("walk", "wave", "walk", "wave")
    with pytest.raises(TrainingError, match=r"two actions of two segments or more to compare, got walk \(1\), wave"):
        geometry(network, [], [first], STEPS, 0)
    with pytest.raises(TrainingError, match="got no segments"):
        geometry(network, [], [replace(first, actions=("",) * first.moments)], STEPS, 0)


def test_numbers_follow_the_seed(parts: list[Watched]) -> None:
    network = network_that_sees(0)
    one, same, other = (geometry(network, [], parts[:1], STEPS, seed)[4] for seed in (0, 0, 1))
    assert (one.null, one.smoothness) == (same.null, same.smoothness)
    assert other.smoothness == one.smoothness
    assert other.null != one.null


@pytest.mark.parametrize(
    ("smoothness", "verdict"), [(0.1, Verdict.BOTH), (0.25, Verdict.CHANCE), (0.6, Verdict.NEITHER)]
)
def test_verdicts(smoothness: float, verdict: Verdict) -> None:
    null = Null(0.7, 0.5, 0.9)
    layer = LayerGeometry("state", (), np.zeros((0, 0)), smoothness, null, (0.3, 0.2, 0.4), (0.1, 0.04), 0.1, 5.0, 0.9)
    assert layer.verdict is verdict
    if verdict is Verdict.BOTH:
        assert replace(layer, advantage=(0.1, 0.06)).verdict is Verdict.CHANCE  # it may be these segments alone
    assert replace(layer, smoothness=0.5 + 1e-13).verdict is Verdict.NEITHER
    assert replace(layer, smoothness=0.2 - 1e-13).verdict is Verdict.CHANCE


@given(seed=st.integers(0, 2**31), nodes=st.integers(3, 12))
def test_a_map_of_points_in_a_plane_is_exact(seed: int, nodes: int) -> None:
    plane = np.random.default_rng(seed).standard_normal((nodes, 2))
    distances = np.linalg.norm(plane[:, None] - plane, axis=2)
    points = classical_mds(distances)
    np.testing.assert_allclose(np.linalg.norm(points[:, None] - points, axis=2), distances, atol=1e-6)


def test_a_map_of_what_is_no_metric_is_finite() -> None:
    distances = np.array([[0, 1, 9], [1, 0, 1], [9, 1, 0.0]])
    assert np.isfinite(classical_mds(distances)).all()


def pixels(figure: Figure) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("RGB"))


def has_colour(figure: Figure, colour: str) -> bool:
    rgb = [int(colour[n : n + 2], 16) for n in (1, 3, 5)]
    return bool((pixels(figure) == rgb).all(axis=2).sum() > 50)


def test_the_picture_shows_each_layer_with_its_controls(found: list[LayerGeometry]) -> None:
    figure = layers_figure(found)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == [layer.layer for layer in found]
    marks = [np.asarray(line.get_xdata()) for line in axes.lines if line.get_marker() == "o"]
    drawn = [float(x[0]) for x in marks if len(x)]
    assert drawn == [layer.smoothness for layer in found]
    assert all(has_colour(figure, colour) for colour in ("#0072B2", "#D55E00", "#D9D9D9"))
    tops = [bar.get_y() for bar in axes.patches[: len(found)] if isinstance(bar, Rectangle)]
    assert len(tops) == len(found)
    assert all(a < b for a, b in pairwise(tops))
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first is on top


def test_the_map_has_a_mark_for_each_segment(found: list[LayerGeometry]) -> None:
    figure = map_figure(best(found))
    (axes,) = figure.axes
    captions = {str(marks.get_label()): len(np.asarray(marks.get_offsets())) for marks in axes.collections}
    assert captions == {"sit (8)": 8, "walk (8)": 8, "wave (8)": 8}
    assert all(has_colour(figure, colour) for colour in ("#0072B2", "#E69F00", "#009E73"))


@pytest.mark.data
def test_actions_of_a_trial_are_held_together(tiny_model: Path, data_dir: Path) -> None:
    bundle = read_bundle(tiny_model)
    path = data_dir / "sub86" / "11.mat"
    inference = Inference(bundle, "fp32", (1,))
    watched = watch(ServedModel(bundle), inference, read_recording(path), find_annotation(path))
    for layer in geometry(network_of(bundle), [], watched, bundle.manifest.decoder_steps, 0):
        assert set(layer.segments) == {"walk", "both_arms_rotations", "one_arm_rotations"}
        assert layer.smoothness < layer.null.mean
