"""Who is who in a feed: the sender's ids as they are, others by where they stand."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.told_feed import HERE_US, STEP_US, moments_of, standing

from motionscribe.sources.crowd import Crowd
from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.tracker import AWAY_US, NEWCOMER_US

NEW = NEWCOMER_US // STEP_US


def walk(crowd: Crowd, frames: Sequence[Sequence[Body]], start: int = 0) -> list[Mapping[str, Body]]:
    return [crowd.take(moment) for moment in moments_of(frames, start)]


def test_the_ids_of_the_sender_count_at_once() -> None:
    crowd = Crowd()
    (people,) = walk(crowd, [[standing(0, "eve"), standing(0, "ada")]])
    assert {*people} == {"ada", "eve"} == crowd.present


def test_others_have_numbers_once_they_have_stayed() -> None:
    crowd = Crowd()
    there = walk(crowd, [[standing(0.01 * n), standing(5 - 0.01 * n)] for n in range(NEW + 20)])
    assert [{*people} for people in there[: NEW + 1]] == [set()] * NEW + [{"1", "2"}]
    assert all(people["1"].values[0] < people["2"].values[0] for people in there[NEW:])


@pytest.mark.parametrize("person", ["eve", ""])
def test_who_is_back_within_two_seconds_is_the_same(person: str) -> None:
    crowd = Crowd()
    walk(crowd, [[standing(0, person)]] * (NEW + 1))
    (id,) = crowd.present
    away = AWAY_US // STEP_US
    walk(crowd, [[standing(9, "other")]] * (away - 1), NEW + 1)
    assert id in crowd.present
    assert id in walk(crowd, [[standing(0, person)]], NEW + away)[0]
    walk(crowd, [[standing(9, "other")]] * (away + 2), NEW + away + 1)
    assert crowd.present == {"other"}


def test_a_silent_feed_says_nothing_of_those_whom_the_sender_knows() -> None:
    crowd = Crowd()
    walk(crowd, [[standing(0, "eve")]])
    late = Moment(STEP_US, HERE_US + 100 * AWAY_US, [standing(0, "eve")])
    assert {*crowd.take(late)} == {"eve"}
    crowd.take(Moment(2 * STEP_US, HERE_US + 200 * AWAY_US, []))
    assert crowd.present == {"eve"}


def test_a_body_that_is_nowhere_is_nobody() -> None:
    nowhere = standing(float("nan"))
    assert walk(Crowd(), [[nowhere]] * (NEW + 5)) == [{}] * (NEW + 5)


@given(st.lists(st.lists(st.sampled_from([0.0, 0.1, 3.0, 9.0]), max_size=4), max_size=60))
def test_ids_are_never_shared_within_a_moment(frames: list[list[float]]) -> None:
    crowd = Crowd()
    for people in walk(crowd, [[standing(x) for x in frame] for frame in frames]):
        assert len({id(body) for body in people.values()}) == len(people)
        assert people.keys() <= crowd.present
