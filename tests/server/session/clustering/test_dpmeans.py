"""DP-means against a slow twin after every step, against river, and where two clusters meet."""

import math
from contextlib import nullcontext, suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import cluster, metrics
from tests.support.clusterer_checks import ClustererChecks
from tests.support.plain_state import same, through_plain

from motionscribe_server.errors import ExhaustedError
from motionscribe_server.session.clustering import ClusterError, DPMeans, Merged, warm_clusters
from motionscribe_server.session.clustering.base import HALF_LIFE
from motionscribe_server.session.clustering.dpmeans import FLOOR, MERGE

D = 6


class TestDPMeans(ClustererChecks):
    kind = DPMeans
    least_rand = 0.7  # measured .83


Centre = list[Any]
"""[id, place, weight]"""


class SlowDPMeans:
    """DP-means as one would tell it, in loops."""

    def __init__(self, radius: float, merge: float, floor: float, half_life: float, capacity: int, warm: int) -> None:
        self.radius, self.merge_at, self.floor, self.half_life = radius, merge * radius, floor, half_life
        self.capacity, self.warm, self.next_id = capacity, warm, warm + 1
        self.centres: list[Centre] = []
        self.names: dict[int, str] = {}
        self.learnt: set[int] = set()
        self.parent: dict[int, int] = {}

    def root(self, id: int) -> int:
        return self.root(self.parent[id]) if id in self.parent else id

    def keeps(self, id: int) -> bool:
        return id <= self.warm or bool(self.names.get(id) or self.names.get(self.root(id)))

    def learn(self, x: list[float], weight: float, id: int = 0) -> int:
        taken = self.take(x, weight, id)
        self.learnt.add(taken)
        return taken

    def take(self, x: list[float], weight: float, id: int) -> int:
        given = id != 0
        near = [c for c in self.centres if self.root(c[0]) == id] if given else self.centres
        nearest = min(near, key=lambda c: math.dist(c[1], x), default=None)
        if nearest is None or (not given and math.dist(nearest[1], x) > self.radius):
            if sum(c[0] > self.warm for c in self.centres) == self.capacity:
                free = [c for c in self.centres if not self.keeps(c[0])]
                self.centres.remove(min(free, key=lambda c: c[2]))
            id = id or self.next_id
            self.centres.append([id, list(x), weight])
            self.next_id = max(self.next_id, id + 1)
            return id
        best = nearest
        best[2] += weight
        rate = max(weight / best[2], self.floor)
        best[1] = [c + rate * (v - c) for c, v in zip(best[1], x, strict=True)]
        while True:
            met = [c for c in self.centres if c is not best and self.may_meet(c, best)]
            other = min(met, key=lambda c: math.dist(c[1], best[1]), default=None)
            if other is None:
                return self.root(best[0])
            stays, goes = sorted((best, other), key=lambda c: (not self.keeps(c[0]), -c[2], c[0]))
            total = stays[2] + goes[2]
            stays[1] = [(stays[2] * a + goes[2] * b) / total for a, b in zip(stays[1], goes[1], strict=True)]
            stays[2] = total
            self.centres.remove(goes)
            if self.root(goes[0]) != self.root(stays[0]):
                self.parent[goes[0]] = stays[0]
            best = stays

    def may_meet(self, c: Centre, best: Centre) -> bool:
        if math.dist(c[1], best[1]) >= self.merge_at or (self.keeps(c[0]) and self.keeps(best[0])):
            return False
        if not any(self.root(id) == self.root(c[0]) for id in self.learnt):
            return False
        same = self.root(c[0]) == self.root(best[0])
        return same or (c[0] not in self.parent and best[0] not in self.parent)

    def has_place_for_a_name(self, id: int) -> bool:
        own = [c[0] for c in self.centres if c[0] > self.warm]
        more = [c for c in own if self.root(c) == id and not self.keeps(c)]
        return not more or sum(map(self.keeps, own)) + len(more) < self.capacity

    def decay(self, seconds: float) -> None:
        for c in list(self.centres):
            faded = c[2] / 2 ** (seconds / self.half_life)
            c[2] = max(faded, min(c[2], 10.0)) if self.keeps(c[0]) else faded
            if not self.keeps(c[0]) and c[2] < 0.5:
                self.centres.remove(c)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.3, 1.0), st.integers(0, 3), st.integers(4, 12))
def test_dpmeans_equals_its_slow_twin(seed: int, radius: float, warm: int, capacity: int) -> None:
    rng = np.random.default_rng(seed)
    start = warm_clusters(rng.normal(size=(warm, 3)) * 0.6)
    fast = DPMeans(3, start, radius=radius, capacity=capacity)
    slow = SlowDPMeans(radius, MERGE, FLOOR, HALF_LIFE, capacity, warm)
    slow.centres = [[state.id, state.centre.tolist(), state.weight] for state in start]
    for _ in range(60):
        living = sorted({slow.root(c[0]) for c in slow.centres})
        match rng.choice(["learn", "learn", "learn", "given", "ahead", "decay", "rename", "merge"]):
            case "given" if living:
                x, id = rng.normal(size=3) * 0.6, int(rng.choice(living))
                assert fast.learn(x, 2.0, id=id) == slow.learn(x.tolist(), 2.0, id)
            case "ahead":
                x, id = rng.normal(size=3) * 0.6, slow.next_id + int(rng.integers(3))
                assert fast.learn(x, 2.0, id=id) == slow.learn(x.tolist(), 2.0, id)
            case "decay":
                seconds = float(rng.uniform(0, 2 * HALF_LIFE))
                fast.decay(seconds)
                slow.decay(seconds)
            case "rename" if living:
                id, given_name = int(rng.choice(living)), str(rng.choice(["", "walk"]))
                full = bool(given_name) and not slow.has_place_for_a_name(id)
                with pytest.raises(ExhaustedError) if full else nullcontext():
                    fast.rename(id, given_name)
                    slow.names[id] = given_name
            case "merge" if len(living) > 1:
                source, target = (int(id) for id in rng.permutation(living)[:2])
                full = bool(slow.names.get(target)) and not slow.has_place_for_a_name(source)
                with pytest.raises(ExhaustedError) if full else nullcontext():
                    fast.merge([source], target)
                    slow.parent[source] = target
            case _:
                x, weight = rng.normal(size=3) * 0.6, float(rng.uniform(0.5, 5))
                near = [c for c in slow.centres if math.dist(c[1], x) <= radius]
                nearest = min(near, key=lambda c: math.dist(c[1], x), default=[0])
                assert fast.predict(x) == slow.root(nearest[0])
                assert fast.learn(x, weight) == slow.learn(x.tolist(), weight)
        with_centre = [state for state in fast.clusters() if state.weight > 0]
        expected = sorted(slow.centres)
        assert [state.id for state in with_centre] == [c[0] for c in expected]
        assert [state.merged_into or state.id for state in with_centre] == [slow.root(c[0]) for c in expected]
        np.testing.assert_allclose([state.weight for state in with_centre], [c[2] for c in expected], rtol=1e-9)
        for state, c in zip(with_centre, expected, strict=True):
            np.testing.assert_allclose(state.centre, c[1], rtol=0, atol=1e-9)
        assert fast.next_id == slow.next_id


# each a verb, a place, a weight or a time, and two clusters where it needs them
deeds = st.tuples(
    st.sampled_from(["learn", "learn", "learn", "given", "ahead", "decay", "rename", "merge", "changes"]),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    st.floats(0.5, 5.0),
    st.integers(0, 100),
    st.integers(0, 100),
)
Deed = tuple[str, tuple[float, float], float, int, int]


def do(clusterer: DPMeans, deed: Deed) -> object:
    """One deed, and what the clusterer answers to it; None for a name that it refuses."""
    verb, x, amount, one, other = deed
    roots = sorted({clusterer.resolve(state.id) for state in clusterer.clusters()})
    with suppress(ExhaustedError):
        match verb:
            case "given" if roots:
                return clusterer.learn(x, amount, id=roots[one % len(roots)], time_us=one)
            case "ahead":
                return clusterer.learn(x, amount, id=max(1, clusterer.next_id + other % 6 - 3), time_us=one)
            case "decay":
                clusterer.decay(amount * HALF_LIFE / 2)
            case "rename" if roots:
                clusterer.rename(roots[one % len(roots)], ["", "walk"][other % 2])
            case "merge" if len(roots) > 1:
                clusterer.merge([roots[one % len(roots)]], roots[(one + 1 + other % (len(roots) - 1)) % len(roots)])
            case "changes":
                return clusterer.changes()
            case _:
                return clusterer.predict(x), clusterer.learn(x, amount, time_us=one)
    return None


@settings(max_examples=100, deadline=None)
@given(st.lists(deeds, max_size=60), st.lists(deeds, max_size=60), st.integers(0, 2), st.integers(3, 8))
def test_dpmeans_restored_from_its_state_goes_on_to_the_bit(
    before: list[Deed], after: list[Deed], warm: int, capacity: int
) -> None:
    start = warm_clusters([[0.2, 0.1], [-0.5, 0.4]][:warm])
    clusterer = DPMeans(2, start, radius=0.3, capacity=capacity)
    for deed in before:
        do(clusterer, deed)
    kept = clusterer.state()
    state = through_plain(kept)
    again = DPMeans(2, start, radius=0.3, capacity=capacity)
    again.restore(state)
    for deed in after:
        assert do(again, deed) == do(clusterer, deed)
        assert again.clusters() == clusterer.clusters()
        assert again.next_id == clusterer.next_id
    assert again.changes() == clusterer.changes()
    assert same(through_plain(kept), through_plain(state)), "neither shares anything with its state"


def test_dpmeans_remembers_the_names_of_features() -> None:
    clusterer, again = DPMeans(2), DPMeans(2)
    clusterer.learn_one({"hip": 0.0, "knee": 1.0})
    again.restore(through_plain(clusterer.state()))
    with pytest.raises(ClusterError, match=r"expected features \('hip', 'knee'\), got \('ankle', 'hip'\)"):
        again.predict_one({"hip": 0.0, "ankle": 1.0})


def test_dpmeans_restored_goes_on_as_if_nothing_happened() -> None:
    X = np.random.default_rng(8).normal(size=(300, D)) * 0.35
    clusterer = DPMeans(D)
    for x in X[:150]:
        clusterer.learn(x, 3.0)
        clusterer.decay(3.0)
    again = DPMeans(D, clusterer.clusters(), clusterer.next_id)
    for x in X[150:]:
        assert again.learn(x, 3.0) == clusterer.learn(x, 3.0)
        again.decay(3.0)
        clusterer.decay(3.0)
    assert again.clusters() == clusterer.clusters()


def test_dpmeans_joins_no_warm_cluster_that_has_learnt_nothing() -> None:
    clusterer = DPMeans(2, warm_clusters([[0.0, 0.0]]), radius=0.5)
    assert clusterer.learn([0.6, 0.0], 5.0) == 2
    assert clusterer.learn([0.1, 0.0], 5.0, id=2) == 2, "it has come near 1, which waits"
    assert clusterer.learn([0.0, 0.0], 5.0, id=1) == 1, "now they are the same"
    assert clusterer.resolve(2) == 1


def test_dpmeans_joins_clusters_that_drift_together() -> None:
    clusterer = DPMeans(2, radius=0.5)
    a, b = clusterer.learn([0, 0], 20.0), clusterer.learn([0.6, 0], 2.0)
    clusterer.changes()
    for _ in range(8):
        clusterer.learn([0.4, 0], 2.0, id=b)
    assert clusterer.changes() == [Merged(b, a)]
    assert clusterer.predict([0.1, 0]) == a
    merged = clusterer.clusters()[1]
    assert (merged.id, merged.merged_into, merged.weight) == (b, a, 0.0)
    assert clusterer.clusters()[0].segments >= 3


def test_dpmeans_never_joins_warm_or_named_clusters_by_itself() -> None:
    clusterer = DPMeans(2, warm_clusters([[0.0, 0.0], [0.6, 0.0]]), radius=0.5)
    for _ in range(50):
        clusterer.learn([0.3, 0], 5.0, id=1)
        clusterer.learn([0.3, 0], 5.0, id=2)
    assert clusterer.changes() == []
    assert [state.merged_into for state in clusterer.clusters()] == [0, 0]


def test_dpmeans_keeps_the_named_of_two_that_meet() -> None:
    clusterer = DPMeans(2, radius=0.5)
    heavy, light = clusterer.learn([0, 0], 100.0), clusterer.learn([0.6, 0], 1.0)
    clusterer.rename(light, "wave")
    for _ in range(3):
        clusterer.learn([0.1, 0], 1.0, id=light)
    assert clusterer.resolve(heavy) == light
    assert clusterer.name(heavy) == "wave"


def test_dpmeans_remembers_so_many_merged_ids() -> None:
    clusterer = DPMeans(1, radius=0.5, capacity=3)
    home = clusterer.learn([0.0], 1000.0)
    for _ in range(20):
        guest = clusterer.learn([2.0], 1.0)
        clusterer.learn([0.0], 100.0, id=guest)
        assert clusterer.resolve(guest) == home
    states = clusterer.clusters()
    assert [state.merged_into for state in states] == [0, home, home, home]
    assert clusterer.resolve(states[1].id - 1) == 0, "older ones are forgotten"


def test_dpmeans_agrees_with_river_on_separated_blobs() -> None:
    """River's own DBSTREAM, asked directly, and river's own measure."""
    ours, theirs = DPMeans(D), cluster.DBSTREAM(clustering_threshold=0.5, fading_factor=0.001, cleanup_interval=100)
    agreement, truth = metrics.AdjustedRand(), metrics.AdjustedRand()
    rng = np.random.default_rng(9)
    of = rng.integers(0, 4, 200)
    X = 2 * np.eye(D)[of] + 0.03 * rng.normal(size=(200, D))
    for x in X:
        ours.learn(x, 1.0)
        theirs.learn_one(dict(enumerate(x)))
    for x, k in zip(X, of, strict=True):
        agreement.update(theirs.predict_one(dict(enumerate(x))), ours.predict(x))
        truth.update(int(k), ours.predict(x))
    assert agreement.get() == 1.0
    assert truth.get() == 1.0
