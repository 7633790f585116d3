"""How ids are matched to places that river renumbers, moves, gives up and finds again."""

import itertools
import math
from typing import Any, ClassVar

import numpy as np
import pytest
from benchmarks.quality.matching import match
from benchmarks.quality.river_clusterers import CluStream, DBStream, RiverClusterer
from hypothesis import given, settings
from hypothesis import strategies as st
from river import cluster
from tests.support.clusterer_checks import ClustererChecks


class TestDBStream(ClustererChecks):
    kind = DBStream
    least_rand = 0.55  # measured .67


class TestCluStream(ClustererChecks):
    kind = CluStream
    least_rand = 0.4  # measured .52


class Scripted(RiverClusterer):
    """Places as a test says, instead of a model of river's."""

    places: ClassVar[list[list[float]]] = []

    def _make(self) -> Any:
        return cluster.DBSTREAM()

    def _places(self) -> dict[int, dict[int, float]]:
        return {7 * k: dict(enumerate(place)) for k, place in enumerate(self.places)}

    def learn_at(self, x: list[float], *places: list[float]) -> int:
        Scripted.places = list(places)
        return self.learn(x, 3.0)


def test_a_place_gets_an_id_when_a_point_falls_near() -> None:
    clusterer = Scripted(2, radius=0.5)
    assert clusterer.learn_at([0, 0]) == 0, "river has no place yet"
    assert clusterer.learn_at([0, 0], [0.2, 0], [3, 3]) == 1
    assert clusterer.predict([3, 3]) == 0, "nobody was there"
    assert clusterer.learn_at([3, 3], [3, 3], [0.2, 0]) == 2
    assert [state.centre.tolist() for state in clusterer.clusters()] == [[0.2, 0], [3, 3]]


def test_a_place_that_has_an_id_does_not_move_another() -> None:
    """A forgotten centre stays where it is, though a place that was listed before comes near it."""
    clusterer = Scripted(2, radius=0.5)
    clusterer.learn_at([0, 0], [0, 0])
    clusterer.learn_at([0.6, 0], [0.6, 0])  # river gave up the first
    clusterer.learn_at([0.6, 0], [0.4, 0])
    clusterer.learn_at([0.6, 0], [0.19, 0])  # nearer to the first now, but it came from the second
    assert [state.centre.tolist() for state in clusterer.clusters()] == [[0, 0], [0.19, 0]]


def test_a_place_that_comes_back_finds_its_id() -> None:
    clusterer = Scripted(2, radius=0.5)
    assert clusterer.learn_at([0, 0], [0, 0]) == 1
    assert clusterer.learn_at([3, 3], [3, 3]) == 2
    assert clusterer.learn_at([0.1, 0.1], [3, 3], [0.1, 0.1]) == 1
    assert clusterer.clusters()[0].centre.tolist() == [0.1, 0.1]


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(0, 4), st.floats(0.1, 2.0))
def test_match_is_the_cheapest_of_all_matchings(seed: int, k: int, m: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    earlier, present = rng.normal(size=(k, 2)), rng.normal(size=(m, 2))

    def cost(pairs: list[tuple[int, int]]) -> float:
        """Of two centres left alone each pays half the limit."""
        return sum(math.dist(earlier[i], present[j]) for i, j in pairs) + limit * (k + m - 2 * len(pairs)) / 2

    size = min(k, m)
    every = [
        list(zip(rows, columns, strict=True))
        for n in range(size + 1)
        for rows in itertools.combinations(range(k), n)
        for columns in itertools.permutations(range(m), n)
    ]
    pairs = match(earlier, present, limit)
    assert cost(pairs) == pytest.approx(min(cost(p) for p in every))
    assert all(math.dist(earlier[i], present[j]) < limit for i, j in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


def test_match_sees_through_renumbering() -> None:
    earlier = np.random.default_rng(10).normal(size=(8, 6))
    order = np.random.default_rng(11).permutation(8)
    assert match(earlier, earlier[order] + 0.01, 0.5) == [(i, int(np.flatnonzero(order == i)[0])) for i in range(8)]


def test_match_refuses_a_limit_of_nothing() -> None:
    with pytest.raises(ValueError, match="got 0"):
        match(np.zeros((1, 2)), np.zeros((1, 2)), 0)
