"""Shares of visits that are longer or shorter, against scipy's t distribution of all visits at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.support.plain_state import same, through_plain

from motionscribe_server.session.anomaly import usual_durations
from motionscribe_server.session.anomaly.usual_durations import LEAST, LEAST_SPREAD, UsualDurations

SECONDS = st.lists(st.floats(0.1, 1e5), min_size=LEAST, max_size=30)


def learnt(seconds: list[float], cluster: int = 1) -> UsualDurations:
    own = UsualDurations()
    for one in seconds:
        own.learn(cluster, one)
    return own


def slow(seconds: list[float], new: float) -> float:
    """Of visits that are longer: of all at once."""
    logs, n = np.log(seconds), len(seconds)
    spread = max(logs.std(ddof=1), LEAST_SPREAD) * np.sqrt(1 + 1 / n)
    return float(stats.t.sf((np.log(new) - logs.mean()) / spread, n - 1))


@given(SECONDS, st.floats(0.1, 1e5))
def test_shares_are_those_of_all_visits_at_once(seconds: list[float], new: float) -> None:
    own = learnt(seconds)
    longer = slow(seconds, new)
    assert own.share_longer(1, new) == pytest.approx(min(1, 2 * longer), rel=1e-5, abs=1e-12)
    assert own.share_shorter(1, new) == pytest.approx(min(1, 2 * (1 - longer)), rel=1e-5, abs=1e-12)


@given(SECONDS, SECONDS, st.floats(0.1, 1e5))
def test_merged_actions_are_as_one(some: list[float], others: list[float], new: float) -> None:
    own = learnt(some)
    for one in others:
        own.learn(2, one)
    own.merge(2, 1)
    assert own.share_longer(1, new) == pytest.approx(learnt(some + others).share_longer(1, new), rel=1e-5, abs=1e-12)
    assert own.share_longer(2, new) == 1
    own.merge(2, 1)
    assert own.visits == len(some + others)


def test_nothing_is_said_of_an_action_that_was_seen_less_often() -> None:
    own = learnt([3.0] * (LEAST - 1))
    assert (own.share_longer(1, 1e6), own.share_shorter(1, 1e-6), own.share_longer(2, 1e6)) == (1, 1, 1)
    own.learn(1, 3.0)
    assert own.share_longer(1, 1e6) < 1e-3


def test_extremes_are_counted() -> None:
    own = learnt([3.0] * 100)
    far = own.share_longer(1, 9.0)
    assert own.as_far(far) == 0
    own.learn(1, 9.0)
    assert own.as_far(far) == 1
    assert own.as_far(far / 2) == 0
    own.learn(1, 1.0)
    assert own.as_far(1.0) == 102 - LEAST


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usual_durations, "MOST", 3)
    own = UsualDurations()
    for cluster, visits in ((1, 7), (2, 2), (3, 9), (4, 1), (5, 1)):
        for nth in range(visits):
            own.learn(cluster, 3.0 + nth)
    state = own.state()
    assert [id for id, *_ in state["usual"]] == [1, 3, 5]
    assert len(state["extremes"]) == 3
    assert own.visits == 20


@given(SECONDS, st.floats(0.1, 1e5))
def test_one_restored_from_its_state_is_the_same(seconds: list[float], new: float) -> None:
    one, again = learnt(seconds), learnt([1.0] * 9, 7)
    again.restore(through_plain(one.state()))
    one.learn(1, new)
    again.learn(1, new)
    assert same(one.state(), again.state())
