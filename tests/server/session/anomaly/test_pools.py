"""Pooled logarithms and vigour: against a slow twin that keeps all moments."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.anomaly_stream import ANY, NOTHING, PLANE, MovingMap, span_of
from tests.support.plain_state import going_on, same

from motionscribe_models.arrays import Array
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.features import FeatureMap
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.pools import LATE_S, VIGOUR_S, Pools
from motionscribe_server.session.anomaly.reference import Layout
from motionscribe_server.session.anomaly.score import TINY
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.anomaly.table import SCORES

MOMENT_S = 0.1
FEATURES = np.zeros(2, np.float32)
LAYOUTS = {"plane": Layout(PLANE), "body": Layout(FeatureMap(BODY, tuple(range(2, 15))))}


def moments_of(layout: Layout, count: int, seed: int) -> list[Observation]:
    """Noise of all numbers; some are 0."""
    rng = np.random.default_rng(seed)
    sensors = layout.others.shape[1]
    groups = sum(own.stop - own.start for score, own in layout.slices() if score.name == "misfit")

    def numbers(width: int) -> Array:
        return np.exp(rng.normal(size=width)) * (rng.random(width) < 0.9)

    return [
        Observation(
            span_of(n),
            Sensed(numbers(sensors), numbers(sensors), numbers(sensors)),
            numbers(groups),
            float(numbers(1)[0]),
            float(numbers(1)[0]),
            rng.normal(size=44).astype(np.float32),
            NOTHING,
            *numbers(2) + 1,
        )
        for n in range(count)
    ]


def slow_pooled(layout: Layout, seen: Sequence[Observation], moment_s: float) -> Array:
    """The mean logarithm over each score's own time, -inf before there was so much."""
    pooled: list[float] = []
    for score, _ in layout.slices():
        moments = max(1, round(score.pooled_s / moment_s))
        logs = [np.log(np.maximum(score.measure(one), TINY)) for one in seen[-moments:]]
        full = len(seen) >= moments
        pooled += (np.mean(logs, axis=0) if full else np.full_like(logs[0], -np.inf)).tolist()
    return np.array(pooled)


def slow_vigour(layout: Layout, seen: Sequence[Observation], moment_s: float) -> Array:
    """The mean tremor of all sensors of other joints, over VIGOUR_S that ended LATE_S ago."""
    late, span = round(LATE_S / moment_s), max(1, round(VIGOUR_S / moment_s))
    early = seen[: len(seen) - late][-span:] if len(seen) > late else seen
    tremor = np.mean([one.sensed.tremor for one in early], axis=0)
    sensors = next(layout.columns[own] for score, own in layout.slices() if score.name == "jump")
    vigour = []
    for joints in layout.columns:
        others = [own for own, sensor in zip(tremor, sensors, strict=True) if not sensor & joints]
        vigour.append(np.mean(others) if others else 0.0)
    return np.log(np.maximum(vigour, TINY))


@pytest.mark.parametrize("name", LAYOUTS)
@given(st.integers(1, 40), st.integers(0, 999), st.sampled_from([0.04, 0.1, 0.25, 2.0]))
def test_numbers_are_those_of_a_slow_twin(name: str, count: int, seed: int, moment_s: float) -> None:
    layout = LAYOUTS[name]
    pools, seen = Pools(layout, moment_s), list[Observation]()
    for moment in moments_of(layout, count, seed):
        seen.append(moment)
        pooled, vigour = pools.add(moment)
        np.testing.assert_allclose(pooled, slow_pooled(layout, seen, moment_s), atol=1e-9)
        np.testing.assert_allclose(vigour, slow_vigour(layout, seen, moment_s), atol=1e-9)


def test_a_fault_does_not_excuse_itself() -> None:
    """Sensor 0 shakes from moment 20 on: its own vigour stays; that of the other rises, but late."""
    layout, late = LAYOUTS["plane"], round(LATE_S / MOMENT_S)
    pools, ones = Pools(layout, MOMENT_S), np.ones(2)
    rows = []
    for n in range(60):
        tremor = np.array([1e6 if n >= 20 else 1.0, 1.0])
        rows.append(
            pools.add(Observation(span_of(n), Sensed(ones, tremor, ones), ones, 1.0, 1.0, FEATURES, NOTHING, ANY, ANY))[
                1
            ]
        )
    vigour = np.array(rows)
    columns = next(own for score, own in layout.slices() if score.name == "jump")
    assert not vigour[:, columns.start].any(), "sensor 1 did not change"
    other = vigour[:, columns.start + 1]
    assert not other[: 20 + late].any()
    assert other[20 + late] > 10
    assert other[-1] == pytest.approx(np.log(1e6)), "after a second it knows nothing else"


def test_strangeness_is_compared_with_the_whole_body() -> None:
    layout = LAYOUTS["body"]
    assert layout.columns[-1] == frozenset()
    assert np.ptp(layout.others[-1]) == 0
    assert layout.others[-1].sum() == pytest.approx(1)


def test_a_joint_that_has_no_others_has_no_vigour() -> None:
    layout = Layout(MovingMap(PLANE.skeleton, (0,)))
    ones = np.ones(1)
    _, vigour = Pools(layout, MOMENT_S).add(
        Observation(span_of(0), Sensed(ones, ones, ones), ones, 1.0, 1.0, FEATURES, NOTHING, ANY, ANY)
    )
    columns = next(own for score, own in layout.slices() if score.name == "jump")
    assert vigour[columns].tolist() == [np.log(TINY)]


def test_after_a_gap_nothing_before_it_counts() -> None:
    layout = LAYOUTS["body"]
    used, fresh = Pools(layout, MOMENT_S), Pools(layout, MOMENT_S)
    for moment in moments_of(layout, 30, seed=1):
        used.add(moment)
    used.restart()
    for moment in moments_of(layout, 30, seed=2):
        assert same([*used.add(moment)], [*fresh.add(moment)])


@given(st.integers(0, 30), st.integers(0, 99))
def test_pools_restored_from_their_state_go_on_to_the_bit(cut: int, seed: int) -> None:
    layout = LAYOUTS["plane"]
    moments = moments_of(layout, cut + 20, seed)
    one, other = Pools(layout, MOMENT_S), Pools(layout, MOMENT_S)
    for moment in moments[:cut]:
        one.add(moment)
    other.add(moments[-1])  # what it held before does not matter
    with going_on(one, other):
        for moment in moments[cut:]:
            assert same([*one.add(moment)], [*other.add(moment)])


def test_no_score_is_pooled_over_less_than_a_moment() -> None:
    assert min(score.pooled_s for score in SCORES.values()) == 0
    layout = LAYOUTS["plane"]
    (moment,) = moments_of(layout, 1, seed=3)
    assert np.isfinite(Pools(layout, 10.0).add(moment)[0]).all()
