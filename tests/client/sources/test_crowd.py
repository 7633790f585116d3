"""Who is who in a feed: the sender's ids as they are, others by where they stand."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.told_feed import HERE_US, SKELETON, STEP_US, moments_of, standing

from motionscribe.sources.crowd import MOST_KNOWN, Crowd
from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.tracker import AWAY_US, NEWCOMER_US
from motionscribe_models.skeleton import Skeleton

NEW = NEWCOMER_US // STEP_US


def walk(crowd: Crowd, frames: Sequence[Sequence[Body]], start: int = 0) -> list[Mapping[str, Body]]:
    return [crowd.take(moment) for moment in moments_of(frames, start)]


def where(people: Mapping[str, Body]) -> dict[str, int]:
    """Of everybody the x."""
    return {id: round(float(body.values[0] + 0.1)) for id, body in people.items()}


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


def test_nor_of_those_whom_nobody_knows() -> None:
    crowd = Crowd()
    walk(crowd, [[standing(0), standing(5)]] * (NEW + 1))
    late = Moment(STEP_US, HERE_US + 100 * AWAY_US, [standing(5), standing(0)])
    assert where(crowd.take(late)) == {"1": 0, "2": 5}


def test_one_of_two_senders_who_is_heard_first_after_a_pause_does_not_end_the_other() -> None:
    crowd = Crowd()
    walk(crowd, [[standing(0, "eve")], [standing(1, "ada")]])
    crowd.take(Moment(0, HERE_US + 100 * AWAY_US, [standing(0, "eve")]))
    assert crowd.present == {"ada", "eve"}


def test_a_number_that_is_an_id_of_the_senders_is_passed_over() -> None:
    crowd = Crowd()
    there = walk(crowd, [[standing(0, "1"), standing(3), standing(6, "3"), standing(9)]] * (NEW + 1))
    assert where(there[-1]) == {"1": 0, "3": 6, "2": 3, "4": 9}


def test_who_has_an_id_of_the_senders_takes_it_from_who_is_numbered() -> None:
    crowd = Crowd()
    walk(crowd, [[standing(0)]] * (NEW + 1))
    assert crowd.present == {"1"}
    (taken, after) = walk(crowd, [[standing(9, "1"), standing(0)]] * 2, NEW + 1)
    assert taken.keys() == {"2"}  # a moment without 1 ends the stream of the other
    assert after.keys() == {"1", "2"}
    assert after["1"].values[0] > 8


def test_a_sender_with_ids_says_nothing_of_another_ones_people() -> None:
    crowd = Crowd()
    frames = [[standing(0, "eve")] if n % 2 else [standing(3), *[standing(6)] * (n > 100)] for n in range(300)]
    assert walk(crowd, frames)[-2].keys() == {"1", "2"}
    walk(crowd, [[standing(0, "eve")]] * (AWAY_US // STEP_US + 1), 300)
    assert crowd.present == {"eve"}


def test_places_in_an_image_and_in_space_are_of_different_people() -> None:
    flat = Skeleton("flat", SKELETON.joints, (-1,) * 3, "positions2d", "px", 1.0, "-y", 30.0)
    crowd = Crowd()
    body = Body(flat, standing(0).values[:6])
    there = walk(crowd, [[standing(0)]] * (NEW + 1) + [[body]] * (NEW + 1) + [[standing(0)]])
    assert [*there[NEW]] == [*there[-1]] == ["1"]
    assert [*there[-2]] == ["2"]


def test_no_more_ids_are_remembered_than_there_is_room_for() -> None:
    crowd = Crowd()
    walk(crowd, [[standing(0, "eve"), *[standing(0, f"{n}-{m}") for m in range(60)]] for n in range(150)])
    assert len(crowd.present) == MOST_KNOWN
    assert "eve" in crowd.present


def test_a_body_that_is_nowhere_is_nobody() -> None:
    nowhere = standing(float("nan"))
    assert walk(Crowd(), [[nowhere]] * (NEW + 5)) == [{}] * (NEW + 5)


@given(st.lists(st.lists(st.sampled_from([0.0, 0.1, 3.0, 9.0]), max_size=4), max_size=60))
def test_ids_are_never_shared_within_a_moment(frames: list[list[float]]) -> None:
    crowd = Crowd()
    for people in walk(crowd, [[standing(x) for x in frame] for frame in frames]):
        assert len({id(body) for body in people.values()}) == len(people)
        assert people.keys() <= crowd.present
