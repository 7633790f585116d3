"""The score is that of Gaussian clouds of decoder states, and an excerpt is what the encoder would see."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_motion import (
    JOINT_OF,
    STEPS,
    STRIDE,
    made_evidence,
    made_network,
    made_watched,
    two_motions,
)

from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.cell_activity import cell_activity
from motionscribe_training.explaining.evidence_score import (
    CONTEXT,
    LONGEST,
    Evidence,
    Excerpt,
    cluster_of,
    evidence_of,
)
from motionscribe_training.explaining.watched import Piece


def slow_log_odds(evidence: Evidence, excerpt: Excerpt, cluster: int) -> float:
    """A frame, a moment and a cluster at a time."""
    network, state, points = evidence.network, excerpt.before[None], []
    for number, frame in enumerate(excerpt.frames, 1):
        weights = (network.weight_ih, network.weight_hh, network.bias_ih, network.bias_hh)
        state = torch.gru_cell(frame[None], state, *weights)
        if number % evidence.stride == 0:
            decoded, _ = network.decode(state, frame[None], evidence.steps)
            points.append(network.project(decoded)[0].mean(0))
    point = torch.stack(points).mean(0)
    likelihoods = [
        float(torch.exp(-((point - centre) ** 2).sum() / (2 * evidence.variance))) for centre in evidence.centres
    ]
    own = likelihoods.pop(evidence.clusters.index(cluster))
    return float(np.log(own / sum(likelihoods)))


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_the_score_is_that_of_its_slow_twin(seed: int) -> None:
    evidence, excerpt = made_evidence(seed)
    with torch.no_grad():
        for cluster in evidence.clusters:
            score = float(evidence.score(excerpt.frames[None], excerpt.before, cluster))
            assert score == pytest.approx(slow_log_odds(evidence, excerpt, cluster), abs=1e-9)


def test_centres_are_means_of_moments_and_rare_clusters_have_none() -> None:
    watched = two_motions(3)
    watched.clusters[:4] = 9
    evidence = evidence_of(made_network(3), [watched], STEPS)
    assert evidence.clusters == (1, 2)
    with pytest.raises(TrainingError, match="one of 1, 2, got 9"):
        evidence.index(9)
    assert cluster_of(watched, Piece(0, 10, "")) == 1
    watched.clusters[:] = 1
    with pytest.raises(TrainingError, match="expected two clusters of at least 10 moments, got 1"):
        evidence_of(made_network(3), [watched], STEPS)


def test_the_variance_is_that_of_the_directions_that_vary() -> None:
    rng = np.random.default_rng(0)
    frames = rng.standard_normal((1200, len(JOINT_OF))).astype(np.float32)
    network = made_network(0)
    flat = torch.zeros(60, network.hidden)
    flat[:6] = network.pca_components
    narrow = evidence_of(network, [made_watched(frames, [1, 2] * 200)], STEPS)
    network.pca_components = flat  # as many directions again in which nothing happens
    wide = evidence_of(network, [made_watched(frames, [1, 2] * 200)], STEPS)
    assert wide.variance == pytest.approx(narrow.variance, rel=1e-5)


def test_an_excerpt_is_the_middle_of_a_long_segment_after_its_context() -> None:
    watched = two_motions(1, moments=130)
    evidence = evidence_of(made_network(1), [watched], STEPS)
    excerpt = evidence.excerpt(watched, Piece(130, 260, "2"))
    assert len(excerpt.frames) == LONGEST
    assert excerpt.start == (130 + 15) * STRIDE
    before = torch.from_numpy(watched.features[excerpt.start - CONTEXT : excerpt.start])
    torch.testing.assert_close(excerpt.before, evidence.network.encode(before[None])[0].detach())
    assert not evidence.excerpt(watched, Piece(0, 20, "1")).before.any()


def test_the_cell_written_out_is_the_gru() -> None:
    network, frames = made_network(4), torch.randn(2, 9, len(JOINT_OF))
    activity = cell_activity(network, frames, torch.zeros(2, network.hidden))
    torch.testing.assert_close(torch.stack(activity.state, 1), network.run(frames))
