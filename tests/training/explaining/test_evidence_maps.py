"""Maps are true of the score: gradients, sums, drops, a planted cause, and the picture of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_motion import (
    JOINT_OF,
    SECOND,
    STEPS,
    STRIDE,
    made_evidence,
    made_network,
    two_motions,
)

from motionscribe_models.skeleton import Skeleton
from motionscribe_training.explaining.cell_activity import cell_activity
from motionscribe_training.explaining.evidence_score import (
    evidence_of,
)
from motionscribe_training.explaining.faithfulness import Faithfulness
from motionscribe_training.explaining.gradient_maps import (
    block_sums,
    gradient_times_input,
    integrated_gradients,
    joint_cells,
    layer_maps,
)
from motionscribe_training.explaining.maps_picture import caption, draw_maps
from motionscribe_training.explaining.occlusion_map import block_edges, occlusion_map
from motionscribe_training.explaining.segment_maps import segment_maps
from motionscribe_training.explaining.watched import Piece
from motionscribe_training.network.seq2seq import Seq2Seq


@given(st.integers(0, 1000))
@settings(max_examples=5)
def test_gradients_are_finite_differences(seed: int) -> None:
    evidence, excerpt = made_evidence(seed)
    found = gradient_times_input(evidence, excerpt, 2)
    rng = np.random.default_rng(seed)
    for t, f in zip(rng.integers(0, len(found), 12), rng.integers(0, len(JOINT_OF), 12), strict=True):
        scores = []
        for change in (1e-5, -1e-5):
            frames = excerpt.frames.clone()
            frames[t, f] += change
            scores.append(float(evidence.score(frames[None], excerpt.before, 2).detach()))
        slope = (scores[0] - scores[1]) / 2e-5
        assert found[t, f] == pytest.approx(slope * float(excerpt.frames[t, f]), rel=1e-4, abs=1e-8)


def test_layer_maps_weigh_activity_by_mean_finite_differences() -> None:
    watched = two_motions(5)
    evidence = evidence_of(made_network(5, hidden=6).double(), [watched], STEPS)
    excerpt = evidence.excerpt(watched, Piece(20, 28, "2"))
    network, frames = evidence.network, excerpt.frames[None]
    with torch.no_grad():
        states = torch.cat(cell_activity(network, frames, excerpt.before[None]).state)  # (T, H)

        def score(t: int, unit: int, change: float) -> float:
            """With a unit's state at frame t changed, and all that follows from it."""
            own = states[: t + 1].clone()
            own[t, unit] += change
            after, _ = (
                network.gru(frames[:, t + 1 :], own[t][None, None]) if t + 1 < len(states) else (own[None, :0], 0)
            )
            return float(evidence.score_of_states(frames, torch.cat([own[None], after], 1), 2))

        slopes = np.array(
            [
                [(score(t, unit, 1e-5) - score(t, unit, -1e-5)) / 2e-5 for unit in range(network.hidden)]
                for t in range(len(states))
            ]
        )
    expected = states.numpy() @ slopes.mean(0)
    np.testing.assert_allclose(layer_maps(evidence, excerpt, 2)["state"], expected, rtol=1e-4, atol=1e-8)


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_integrated_gradients_are_complete(seed: int) -> None:
    evidence, excerpt = made_evidence(seed)
    with torch.no_grad():
        whole = float(evidence.score(excerpt.frames[None], excerpt.before, 2))
        mean_pose = float(evidence.score(torch.zeros_like(excerpt.frames)[None], excerpt.before, 2))
    summed = integrated_gradients(evidence, excerpt, 2).sum()
    assert summed == pytest.approx(whole - mean_pose, abs=0.01 * max(1, abs(whole - mean_pose)))


def test_cells_are_sums_over_joints_and_blocks() -> None:
    values = np.random.default_rng(0).standard_normal((60, len(JOINT_OF)))
    edges = block_edges(60, STRIDE)
    assert edges[0] == 0
    assert edges[-1] == 60
    assert not (edges % STRIDE).any()
    cells = joint_cells(values, JOINT_OF, edges)
    assert cells.shape == (4, 12)
    for row, joint in enumerate([0, 1, 2, 3]):
        for column in range(12):
            own = values[edges[column] : edges[column + 1], joint == JOINT_OF]
            assert cells[row, column] == pytest.approx(own.sum())
    np.testing.assert_allclose(cells.sum(0), block_sums(values, edges).sum(1))
    assert len(block_edges(6, STRIDE)) == 3


def test_a_drop_is_the_score_less_that_without_the_part() -> None:
    evidence, excerpt = made_evidence(6)
    found = occlusion_map(evidence, excerpt, 2, JOINT_OF)
    with torch.no_grad():
        whole = evidence.score(excerpt.frames[None], excerpt.before, 2)
        for row, joint in enumerate(found.joints):
            hidden = excerpt.frames.clone()
            hidden[:, joint == JOINT_OF] = 0
            assert found.by_joint[row] == pytest.approx(
                float(whole - evidence.score(hidden[None], excerpt.before, 2)), abs=1e-12
            )
            hidden = excerpt.frames.clone()
            hidden[found.edges[3] : found.edges[4], joint == JOINT_OF] = 0
            assert found.cells[row, 3] == pytest.approx(
                float(whole - evidence.score(hidden[None], excerpt.before, 2)), abs=1e-12
            )


def planted(seed: int) -> tuple[Seq2Seq, int]:
    """A network that hardly sees any joint but one, and that joint."""
    network, joint = made_network(seed), int(np.random.default_rng(seed).integers(0, 4))
    with torch.no_grad():
        network.weight_ih[:, joint != JOINT_OF] *= 0.05
    return network, joint


@pytest.mark.parametrize("seed", range(20))
def test_a_planted_cause_comes_first(seed: int) -> None:
    network, joint = planted(seed)
    watched = two_motions(seed, shifted=joint)
    evidence = evidence_of(network, [watched], STEPS)
    found = occlusion_map(evidence, evidence.excerpt(watched, SECOND), 2, JOINT_OF)
    assert found.joints[found.by_joint.argmax()] == joint
    assert found.joints[found.cells.sum(axis=1).argmax()] == joint


@pytest.mark.parametrize("places", [True, False])
def test_the_picture_shows_no_map_that_does_not_explain(places: bool) -> None:
    watched = two_motions(7)
    skeleton = Skeleton("made", ("root", "one", "two", "three"), (-1, 0, 1, 1), "positions", "m", 1.0, "y", 30.0)
    if places:
        watched = replace(watched, places=np.random.default_rng(0).standard_normal((180, 4, 3)))
    evidence = evidence_of(made_network(7), [watched], STEPS)
    maps = segment_maps(evidence, watched, SECOND, 2, JOINT_OF)
    bad = replace(maps.layers["state"], faithfulness=Faithfulness(0.1, 0.4))
    maps = replace(maps, joints={**maps.joints, "integrated gradients": bad}, layers={**maps.layers, "state": bad})
    assert "state 0.10 (0.40)" in caption(maps)
    assert "Not shown" in caption(maps)
    figure = draw_maps(maps, watched, skeleton, 30.0, "why")
    figure.draw_without_rendering()
    said = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert "not shown: no better than random maps" in said
    labels = figure.axes[-1].get_legend_handles_labels()[1]
    assert not any(label.startswith("state") for label in labels)
    assert any(label.startswith("no better than random") and "state" in label for label in labels)
