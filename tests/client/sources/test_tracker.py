"""Who is who from image to image, against a slow twin and by what must hold whatever is seen."""

from collections.abc import Sequence
from math import dist

from hypothesis import given
from hypothesis import strategies as st

from motionscribe.sources.tracker import AWAY_US, NEWCOMER_US, REACH, REACH_PER_S, Spot, Tracker

STEP_US = 50_000
NEW = NEWCOMER_US // STEP_US
"""Images in which a newcomer is nobody yet."""
AWAY = AWAY_US // STEP_US


def spot_at(x: float, y: float, size: float) -> Spot:
    return Spot((x, y), size)


spots = st.builds(
    spot_at,
    st.integers(0, 300).map(float),
    st.integers(0, 200).map(float),
    st.sampled_from([40.0, 90.0, 200.0]),
)
images = st.lists(st.tuples(st.integers(1, 900_000), st.lists(spots, max_size=4)), max_size=25)
"""Microseconds since the image before, and who is in it."""


class Twin:
    """Says the same from all that was ever seen, with no state but that."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, Spot, int, int]] = []
        """Time, spot, number or 0, since when."""
        self.images: list[int] = []

    def follow(self, time_us: int, there: Sequence[Spot]) -> list[int]:
        last = {number: (then, spot) for then, spot, number, _ in self.seen if number}
        last = {number: one for number, one in last.items() if time_us - one[0] <= AWAY_US}
        numbers = self.closest(time_us, there, last, set())
        before = [one for one in self.seen if not one[2] and self.images and one[0] == self.images[-1]]
        went_on = self.closest(
            time_us, there, {n: (then, spot) for n, (then, spot, _, _) in enumerate(before)}, set(numbers)
        )
        count = max((number for _, _, number, _ in self.seen), default=0)
        told = []
        for index, spot in enumerate(there):
            since = before[went_on[index]][3] if index in went_on else time_us
            number = numbers.get(index, 0)
            if not number and time_us - since >= NEWCOMER_US:
                count += 1
                number = count
            told.append(number)
            self.seen.append((time_us, spot, number, since))
        self.images.append(time_us)
        return told

    @staticmethod
    def closest(
        time_us: int, there: Sequence[Spot], last: dict[int, tuple[int, Spot]], taken: set[int]
    ) -> dict[int, int]:
        found: dict[int, int] = {}
        while True:
            best = min(
                (
                    (dist(spot.place, at.place), index, key)
                    for index, spot in enumerate(there)
                    for key, (then, at) in last.items()
                    if index not in taken | found.keys()
                    and key not in found.values()
                    and dist(spot.place, at.place) <= at.size * (REACH + REACH_PER_S * (time_us - then) / 1e6)
                ),
                default=None,
            )
            if best is None:
                return found
            found[best[1]] = best[2]


@given(images)
def test_the_slow_twin_says_the_same(seen: list[tuple[int, list[Spot]]]) -> None:
    tracker, twin, time_us = Tracker(), Twin(), 0
    for step_us, there in seen:
        time_us += step_us
        assert tracker.follow(time_us, there) == twin.follow(time_us, there)


@given(images)
def test_numbers_are_of_one_each_and_never_given_again(seen: list[tuple[int, list[Spot]]]) -> None:
    tracker, time_us = Tracker(), 0
    last_seen: dict[int, int] = {}
    for step_us, there in seen:
        time_us += step_us
        numbers = [number for number in tracker.follow(time_us, there) if number]
        assert len(set(numbers)) == len(numbers)
        assert sorted(set(numbers) - last_seen.keys()) == list(
            range(len(last_seen) + 1, len(last_seen | dict.fromkeys(numbers)) + 1)
        )
        for number in set(numbers) & last_seen.keys():
            assert time_us - last_seen[number] <= AWAY_US
        last_seen |= dict.fromkeys(numbers, time_us)
        assert tracker.present == {number for number, then in last_seen.items() if time_us - then <= AWAY_US}


def walk(tracker: Tracker, frames: Sequence[Sequence[Spot]], start: int = 0) -> list[list[int]]:
    return [tracker.follow((start + n) * STEP_US, there) for n, there in enumerate(frames)]


@given(st.permutations(range(3)), st.integers(0, 2**32))
def test_people_who_walk_apart_keep_their_numbers_whatever_the_order(order: list[int], seed: int) -> None:
    tracker, counted = Tracker(), Tracker()
    here = [spot_at(0, 100, 100), spot_at(150, 100, 90), spot_at(300, 90, 110)]
    walk(tracker, [here] * (NEW + 1))
    walk(counted, [here] * (NEW + 1))
    for n in range(30):
        moved = [spot_at(spot.place[0] + 8 * n, spot.place[1] - (seed >> n) % 5, spot.size) for spot in here]
        time_us = (NEW + 1 + n) * STEP_US
        assert tracker.follow(time_us, [moved[index] for index in order]) == [index + 1 for index in order]
        assert counted.follow(time_us, moved) == [1, 2, 3]


@given(st.integers(1, AWAY), st.floats(0, REACH))
def test_who_returns_within_two_seconds_is_the_same(away: int, moved: float) -> None:
    tracker = Tracker()
    walk(tracker, [[spot_at(100, 100, 80)]] * (NEW + 1))
    walk(tracker, [[]] * (away - 1), NEW + 1)
    assert tracker.present == {1}
    assert tracker.follow((NEW + away) * STEP_US, [spot_at(100 + 80 * moved, 100, 80)]) == [1]


def test_who_returns_later_is_somebody_new() -> None:
    tracker = Tracker()
    walk(tracker, [[spot_at(100, 100, 80)]] * (NEW + 1))
    walk(tracker, [[]] * AWAY, NEW + 1)
    assert tracker.present == {1}
    later = walk(tracker, [[spot_at(100, 100, 80)]] * (NEW + 1), NEW + 1 + AWAY)
    assert later == [[0]] * NEW + [[2]]
    assert tracker.present == {2}


def test_who_is_too_far_away_is_somebody_else() -> None:
    tracker = Tracker()
    walk(tracker, [[spot_at(100, 100, 80)]] * (NEW + 1))
    assert tracker.follow((NEW + 1) * STEP_US, [spot_at(200, 100, 80)]) == [0]


def test_ghosts_of_a_few_images_are_nobody() -> None:
    """As MediaPipe finds them beside, and on, a body that it follows."""
    body = spot_at(100, 100, 80)
    frames = [[body], [spot_at(100, 104, 80), body], [spot_at(60, 90, 90), body], [body], [], [body]]
    assert walk(Tracker(), [[body]] * NEW + frames)[NEW:] == [[1], [0, 1], [0, 1], [1], [], [1]]
