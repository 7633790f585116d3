"""The points that stand for what recordings show."""

import numpy as np
import pytest

from motionscribe_server.session.anomaly.shown import PREFIX, Shown
from motionscribe_training.fitting.shown import AXES, POINTS, fit_shown


def test_all_directions_have_the_same_spread() -> None:
    moments = np.random.default_rng(0).normal(size=(5000, 4)) @ np.diag([1, 10, 100, 0.1]) + 7
    arrays = fit_shown([moments[:2000], moments[2000:]], seed=0)
    places = (moments - arrays[PREFIX + "mean"]) @ arrays[PREFIX + "axes"]
    assert places.mean(axis=0) == pytest.approx(0, abs=1e-2)
    np.testing.assert_allclose(np.cov(places.T), np.eye(4), atol=0.1)


def test_points_are_moments_that_were_shown() -> None:
    moments = np.random.default_rng(0).normal(size=(300, 6))
    shown = Shown(fit_shown([moments], seed=0), 6)
    assert shown.distances(moments) == pytest.approx(0, abs=1e-2)
    assert shown.distances(moments + 100).min() > 10


def test_points_and_axes_have_a_limit_and_the_seed_draws_them() -> None:
    moments = np.random.default_rng(0).normal(size=(POINTS + 500, AXES + 30))
    first, again, other = (fit_shown([moments], seed)[PREFIX + "points"] for seed in (0, 0, 1))
    assert first.shape == (POINTS, AXES)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_number_that_never_changes_counts_for_nothing_that_was_shown() -> None:
    moments = np.random.default_rng(0).normal(size=(500, 3))
    moments[:, 2] = 5.0
    shown = Shown(fit_shown([moments], seed=0), 3)
    assert shown.distances(moments).max() < 1e-2
    assert shown.distances(moments + np.array([0, 0, 1.0])).min() > 1, "but what it never was is far"
