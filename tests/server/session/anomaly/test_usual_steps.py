"""How unlikely a step is: by counting, and by the rule that it stands for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.plain_state import same, through_plain

from motionscribe_server.session.anomaly import usual_steps
from motionscribe_server.session.anomaly.usual_steps import LEAST, Step, UsualSteps

PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4)).filter(lambda step: step[0] != step[1])


def learnt(steps: list[Step]) -> UsualSteps:
    own = UsualSteps()
    for step in steps:
        own.learn(step)
    return own


def slow(steps: list[Step], step: Step) -> float:
    """The same, one step after another: of those that leave one action, the share of those whose kind is as rare."""
    if sum(start == step[0] for start, _ in steps) < LEAST:
        return math.inf
    every = [*steps, step]

    def share(one: Step) -> float:
        own = [other for other in every if other[0] == one[0]]
        return sum(own.count(other) <= own.count(one) for other in own) / len(own)

    return sum(share(one) <= share(step) for one in every)


@given(st.lists(PAIRS, max_size=40), PAIRS)
def test_steps_are_as_unlikely_as_counting_says(steps: list[Step], step: Step) -> None:
    assert learnt(steps).as_unlikely(step) == slow(steps, step)


def test_what_was_never_seen_is_one_in_all() -> None:
    steps = [(1, 2), (2, 1)] * 100
    assert learnt(steps).as_unlikely((1, 3)) == 1
    assert learnt([*steps, (1, 3)]).as_unlikely((1, 4)) == 2, "where one was new, another one may be"
    assert learnt(steps[: 2 * LEAST - 1]).as_unlikely((2, 3)) == math.inf


def test_an_action_with_any_follower_makes_no_other_suspicious() -> None:
    """Of 10 all steps are new; from 1 there is one way."""
    steps = [step for end in range(11, 40) for step in ((1, 2), (2, 10), (10, end), (end, 1))]
    assert learnt(steps).as_unlikely((1, 3)) == 1
    assert learnt(steps).as_unlikely((10, 50)) > 29


def test_a_chance_is_no_smaller_than_it_says() -> None:
    """Of draws from the same chances, the newest is among the m most unlikely of n in m of n cases, or fewer."""
    rng, chances = np.random.default_rng(0), [0.7, 0.2, 0.06, 0.03, 0.01]
    told = []
    for _ in range(2000):
        ends = rng.choice(5, 60, p=chances).tolist()
        told.append(learnt([(1, 2 + end) for end in ends[:-1]]).as_unlikely((1, 2 + ends[-1])) / 60)
    for share in (0.02, 0.05, 0.1, 0.3):
        assert np.mean(np.array(told) <= share) <= share + 0.01


def test_steps_between_merged_clusters_are_none() -> None:
    own = learnt([(1, 2), (2, 3), (3, 1), (1, 3), (3, 2)])
    own.merge(3, 2)
    assert same(own.state(), learnt([(1, 2), (2, 1), (1, 2)]).state())


def test_the_rarest_kind_makes_room_and_counts_as_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usual_steps, "MOST", 3)
    own = learnt([(1, 2)] * 9 + [(1, 3)] * 2 + [(1, 4), (1, 5)])
    assert own.state() == {"counts": [[1, 2, 9], [1, 3, 2], [1, 5, 1]], "forgotten": 1}
    assert own.as_unlikely((1, 6)) == 3, "itself, that to 5, the forgotten one"


@given(st.lists(PAIRS, max_size=20), PAIRS)
def test_one_restored_from_its_state_is_the_same(steps: list[Step], step: Step) -> None:
    one, again = learnt(steps), learnt([(1, 9)])
    again.restore(through_plain(one.state()))
    assert again.as_unlikely(step) == one.as_unlikely(step)
    one.learn(step)
    again.learn(step)
    assert same(one.state(), again.state())
