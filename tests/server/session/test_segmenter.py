"""The segmenter, moment by moment with estimates that are revised, against a plain search over all segmentations."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motionscribe_server.session.segmenter import Hypothesis, Penalty, Segmenter

PENALTY = Penalty(4.0, 1.0, 10, 3, 2)


def cost_of(values: np.ndarray, penalty: Penalty, open: bool) -> float:
    """Cost of one segment (m, d)."""
    deviation = float(np.square(values - values.mean(axis=0)).sum())
    grown = penalty.young + (penalty.closed - penalty.young) * min(len(values) / penalty.adult, 1.0)
    return deviation + (grown if open else penalty.closed)


def best(values: np.ndarray, penalty: Penalty, horizon: int) -> list[tuple[int, int]]:
    """The slow twin: for each end every start; bounds of the cheapest segments of (n, d)."""
    cheapest: list[tuple[float, list[tuple[int, int]]]] = [(-penalty.closed, [])]
    for end in range(1, len(values) + 1):
        oldest = max(0, end - horizon)
        # only the first segment may be shorter than the shortest
        starts = [s for s in range(oldest, end) if end - s >= penalty.shortest or s == oldest]
        options = []
        for start in starts:
            before, bounds = cheapest[start]
            cost = before + cost_of(values[start:end], penalty, open=end == len(values))
            options.append((cost, [*bounds, (start, end)]))
        cheapest.append(min(options))
    return cheapest[-1][1]


def inner_mean(values: np.ndarray, start: int, end: int, edge: int) -> np.ndarray:
    """Mean of a segment without its edges, but of five moments at least, and with the recording's own ends."""
    first = min(start + edge, end - 5) if start > 0 and end - start > 5 else start
    last = max(end - edge, first + 5) if end < len(values) and end - start > 5 else end
    return np.asarray(values[first:last].mean(axis=0))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[np.ndarray, Penalty]:
    """Values (n, 2) of a few plateaus with noise, so that no two segmentations cost the same, and a penalty."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    lengths = draw(st.lists(st.integers(1, 14), min_size=1, max_size=5))
    levels = rng.normal(0, 2, (len(lengths), 2))
    values = np.repeat(levels, lengths, axis=0) + rng.normal(0, 0.3, (sum(lengths), 2))
    closed = draw(st.floats(0.5, 8))
    penalty = Penalty(
        closed,
        closed * draw(st.floats(0, 1)),
        draw(st.integers(1, 15)),
        draw(st.integers(1, 6)),
        draw(st.integers(0, 4)),
    )
    return values, penalty


def stream(values: np.ndarray, penalty: Penalty, revisions: int, horizon: int, seed: int = 0) -> list[list[Hypothesis]]:
    """Hypotheses after each moment. A moment's estimate is wrong until the last of `revisions` sets it right."""
    rng = np.random.default_rng(seed)
    segmenter, told = Segmenter(values.shape[1], penalty, horizon), []
    for newest in range(len(values)):
        estimates = values[max(0, newest - revisions) : newest + 1].copy()
        open = estimates[1:] if newest >= revisions else estimates
        open += rng.normal(0, 1.0, open.shape)
        told.append(segmenter.push(estimates))
        if newest >= revisions:
            segmenter.settle()
    check(told[-1], np.vstack([values[: newest + 1 - len(estimates)], estimates]), penalty, horizon)
    return told


def check(told: list[Hypothesis], values: np.ndarray, penalty: Penalty, horizon: int) -> None:
    """What is told of `values` (n, d) is what the twin finds, back to where the segmenter has forgotten."""
    origin = told[0].start
    expected = [(max(start, origin), end) for start, end in best(values, penalty, horizon) if end > origin]
    assert [(h.start, h.end) for h in told] == expected
    for h in told:
        mean = inner_mean(values[origin:], h.start - origin, h.end - origin, penalty.edge)
        np.testing.assert_allclose(h.mean, mean, atol=1e-9)


@settings(deadline=None)
@given(scenes(), st.integers(1, 5))
def test_each_moment_is_answered_with_the_cheapest_segments(scene: tuple[np.ndarray, Penalty], revisions: int) -> None:
    values, penalty = scene
    stream(values, penalty, revisions, horizon=1000)


@settings(deadline=None)
@given(scenes(), st.integers(1, 4), st.integers(7, 20))
def test_a_short_horizon_forgets_old_boundaries_but_no_new_ones(
    scene: tuple[np.ndarray, Penalty], revisions: int, horizon: int
) -> None:
    values, penalty = scene
    told = stream(np.vstack([values, values + 0.1]), penalty, revisions, horizon)
    assert all(hypotheses[-1].end - hypotheses[0].start <= 3 * horizon + 1 for hypotheses in told)


@given(scenes())
def test_all_moments_at_once_give_the_cheapest_segments_too(scene: tuple[np.ndarray, Penalty]) -> None:
    values, penalty = scene
    check(Segmenter(2, penalty, len(values)).push(values), values, penalty, len(values))


@settings(deadline=None)
@given(scenes(), st.integers(1, 5))
def test_segments_tile_the_timeline(scene: tuple[np.ndarray, Penalty], revisions: int) -> None:
    values, penalty = scene
    for newest, told in enumerate(stream(values, penalty, revisions, horizon=1000)):
        assert (told[0].start, told[-1].end) == (0, newest + 1)
        assert all(a.end == b.start for a, b in itertools.pairwise(told))
        assert all(h.end - h.start >= penalty.shortest for h in told[1:])


def plateaus() -> np.ndarray:
    return np.repeat([[0.0, 0.0], [3.0, 0.0]], 20, axis=0)


def test_a_change_is_found_where_it_is() -> None:
    told = stream(plateaus(), PENALTY, 3, 1000)[-1]
    assert [(h.start, h.end) for h in told] == [(0, 20), (20, 40)]


def test_estimates_that_are_not_settled_are_replaced() -> None:
    """Three moments look like another motion until the next estimate sets them right."""
    segmenter = Segmenter(2, PENALTY, 1000)
    for newest in range(30):
        estimates = np.zeros((min(newest, 6) + 1, 2))
        if newest == 20:
            estimates[-3:] = 9.0
        told = segmenter.push(estimates)
        assert len(told) == (2 if newest == 20 else 1)
        if newest >= 6:
            segmenter.settle()


def test_a_restart_looks_at_nothing_before_it() -> None:
    used, fresh = Segmenter(2, PENALTY, 10), Segmenter(2, PENALTY, 10)
    for row in np.random.default_rng(0).normal(size=(50, 2)):
        used.push(row[None])
        used.settle()
    used.restart(50)
    for row in np.random.default_rng(1).normal(size=(30, 2)):
        told, expected = used.push(row[None]), fresh.push(row[None])
        assert [(h.start - 50, h.end - 50) for h in told] == [(h.start, h.end) for h in expected]
        assert [h.mean.tobytes() for h in told] == [h.mean.tobytes() for h in expected]


def test_memory_does_not_grow() -> None:
    segmenter = Segmenter(2, PENALTY, 50)
    for row in np.random.default_rng(0).normal(size=(2000, 2)):
        told = segmenter.push(row[None])
        segmenter.settle()
    assert told[-1].end == 2000
    assert len(segmenter.state()["cost"]) <= 2 * 50 + 2


@pytest.mark.parametrize(
    "wrong", [(1, 2, 1, 1, 0), (1, -1, 1, 1, 0), (1, 0, 0, 1, 0), (1, 0, 1, 0, 0), (1, 0, 1, 1, -1)]
)
def test_a_penalty_out_of_its_range_is_refused(wrong: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected 0 <= young <= closed, adult >= 1, shortest >= 1, edge >= 0, got"):
        Penalty(*wrong)
