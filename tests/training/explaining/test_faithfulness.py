"""A true map beats random ones, and one that knows nothing does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from tests.support.made_motion import JOINT_OF, SECOND, STEPS, made_network, two_motions

from motionscribe_training.explaining.evidence_score import (
    evidence_of,
)
from motionscribe_training.explaining.faithfulness import against_drops, by_deletion
from motionscribe_training.explaining.occlusion_map import occlusion_map


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_the_correlation_is_spearmans(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells, drops = rng.integers(0, 9, (4, 6)).astype(float), rng.standard_normal((4, 6))
    assert against_drops(cells, drops, seed).value == pytest.approx(spearmanr(cells.ravel(), drops.ravel()).statistic)


def test_a_true_map_explains_and_random_ones_seldom_do() -> None:
    rng = np.random.default_rng(0)
    drops = rng.standard_normal((6, 8))
    assert against_drops(drops + 0.3 * rng.standard_normal(drops.shape), drops, 0).explains
    assert against_drops(drops[0] * 2 + 5, drops[0], 0).explains
    assert not against_drops(-drops, drops, 0).explains
    assert not against_drops(np.ones((6, 8)), drops, 0).explains
    lucky = sum(against_drops(rng.standard_normal((6, 8)), drops, seed).explains for seed in range(100))
    assert 1 <= lucky <= 13  # 5 on average, deviation 2


def test_one_strong_joint_by_chance_is_no_explanation() -> None:
    drops = np.zeros((8, 10))
    drops[2] = 1
    cells = np.zeros((8, 10))
    cells[5] = 1
    assert not against_drops(cells, drops, 0).explains
    assert against_drops(drops, drops, 0).null == pytest.approx(1)  # one in eight random maps hits the joint


def test_hiding_the_first_joints_costs_more_than_hiding_random_ones() -> None:
    network = made_network(8)
    joint_of = np.arange(len(JOINT_OF))
    watched = two_motions(8)
    evidence = evidence_of(network, [watched], STEPS)
    excerpt = evidence.excerpt(watched, SECOND)
    found = occlusion_map(evidence, excerpt, 2, joint_of)
    right = by_deletion(evidence, excerpt, 2, found, joint_of, 0)
    reversed_map = type(found)(found.joints, found.edges, -found.by_joint, found.by_block, found.cells)
    wrong = by_deletion(evidence, excerpt, 2, reversed_map, joint_of, 0)
    assert right.null == pytest.approx(wrong.null, rel=0.2)
    assert right.explains
    assert not wrong.explains
