"""The battery for every clusterer: predict is pure, inputs are not kept, memory is bounded, ids last."""

import copy
import math
import pickle
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from river import metrics
from tests.support.cluster_points import CORNERS, D, blobs, subject_86

from motionscribe_server.session.clustering import (
    ClusterError,
    Created,
    Merged,
    OnlineClusterer,
    UnknownClusterError,
    initial_clusters,
    warm_clusters,
)
from motionscribe_server.session.clustering.base import CAPACITY, RADIUS


class ClustererChecks:
    """What each clusterer promises; a test class inherits it and names its clusterer."""

    kind: ClassVar[type[OnlineClusterer]]
    least_rand: ClassVar[float]
    """Adjusted Rand index on real segments that it must pass."""

    def make(self, radius: float = RADIUS, capacity: int = CAPACITY) -> OnlineClusterer:
        return self.kind(D, radius=radius, capacity=capacity)

    def taught(self) -> OnlineClusterer:
        """A clusterer that knows the four corners."""
        clusterer = self.make()
        for x in blobs(60)[0]:
            clusterer.learn(x, 3.0)
        return clusterer

    def test_separated_blobs_get_separate_constant_ids(self) -> None:
        clusterer = self.make()
        X, of = blobs(150)
        ids = np.array([clusterer.learn(x, 3.0) for x in X])
        assert len(set(zip(of, ids, strict=True))) == len(set(ids)) == len(CORNERS)
        assert (ids > 0).all()
        assert clusterer.predict_many(CORNERS).tolist() == [ids[of == k][0] for k in range(len(CORNERS))]
        assert clusterer.predict(np.full(D, 9.0)) == 0

    def test_created_clusters_are_announced_once(self) -> None:
        clusterer = self.make()
        ids = {clusterer.learn(x, 3.0) for x in blobs(60)[0]}
        assert clusterer.changes() == [Created(id) for id in sorted(ids)]
        assert clusterer.changes() == []
        assert clusterer.next_id == max(ids) + 1

    def test_predict_is_pure(self) -> None:
        clusterer = self.taught()
        twin = copy.deepcopy(clusterer)
        before = clusterer.clusters()
        X, _ = blobs(50, seed=1)
        answers = clusterer.predict_many(X)
        assert np.array_equal(answers, clusterer.predict_many(X))
        assert answers.tolist() == [clusterer.predict(x) for x in X]
        assert answers.tolist() == [clusterer.predict_one(dict(enumerate(x))) for x in X]
        assert clusterer.clusters() == before
        assert clusterer.next_id == twin.next_id
        for x in 1.4 * X:  # the corners moved out, so that something is born and something drifts
            assert clusterer.learn(x, 1.0) == twin.learn(x, 1.0)
        assert clusterer.clusters() == twin.clusters()

    def test_same_stream_gives_same_answers(self) -> None:
        X, _ = blobs(80, seed=2)
        one, two = self.make(), self.make()
        assert [one.learn(x, 2.0) for x in X] == [two.learn(x, 2.0) for x in X]
        assert one.clusters() == two.clusters()

    def test_inputs_are_not_kept(self) -> None:
        X, _ = blobs(60, seed=3)
        kept, reused = self.make(), self.make()
        buffer = np.empty(D)
        for x in X:
            buffer[:] = x
            assert reused.learn(buffer, 3.0) == kept.learn(x.copy(), 3.0)
            assert np.array_equal(buffer, x)
            buffer[:] = math.pi
            assert np.array_equal(reused.predict_many(X), kept.predict_many(X))
        listed = reused.clusters()
        centres = [state.centre.copy() for state in listed]
        for x in X:
            reused.learn(x + 0.1, 3.0)
        assert all(np.array_equal(state.centre, centre) for state, centre in zip(listed, centres, strict=True))
        with pytest.raises(ValueError, match="read-only"):
            listed[0].centre[0] = 1.0

    def test_long_drifting_stream_keeps_ids_and_stays_small(self) -> None:
        """Ten thousand points: four blobs wander by twice the radius, every tenth point is noise from anywhere."""
        rng = np.random.default_rng(4)
        clusterer = self.make(capacity=32)
        n = 10_000
        X, of = blobs(n, seed=4)
        noise = rng.random(n) < 0.1
        X = X + np.linspace(0, 1, n)[:, None] * np.array([0.0, 0.0, 0.0, 0.0, 0.6, 0.8])
        X[noise] = rng.uniform(-2, 2, (noise.sum(), D))
        born, gone = set[int](), set[int]()
        first, sizes = dict[int, int](), list[int]()
        for t, (x, k) in enumerate(zip(X, of, strict=True)):
            id = clusterer.learn(x, 3.0, time_us=t)
            clusterer.decay(3.0)
            for change in clusterer.changes():
                if isinstance(change, Created):
                    assert change.id > max(born, default=0)
                    born.add(change.id)
            assert id in born or id == 0
            assert id not in gone
            if not noise[t]:
                assert first.setdefault(int(k), id) == id
            if t % 500 == 0:
                listed = {state.id for state in clusterer.clusters()}
                gone |= born - listed
                assert not gone & listed
            if t % 5000 == 4999:
                sizes.append(len(pickle.dumps(clusterer)))
        assert len(set(first.values())) == len(CORNERS)
        assert sum(state.weight > 0 for state in clusterer.clusters()) <= 32
        assert len(clusterer.clusters()) <= 2 * 32
        assert len(gone) > 100
        assert sizes[1] < 1.2 * sizes[0], "what river keeps does not grow either"

    def test_warm_ids_are_kept(self) -> None:
        warm = CORNERS[:3]
        clusterer = self.kind(D, warm_clusters(warm))
        assert clusterer.predict_many(warm).tolist() == [1, 2, 3]
        assert clusterer.next_id == 4
        for x, k in zip(*blobs(60), strict=True):
            id = clusterer.learn(x, 3.0)
            assert id == k + 1 if k < 3 else id >= 4
        for _ in range(100):
            clusterer.decay(3600.0)
        states = {state.id: state for state in clusterer.clusters()}
        assert sorted(states) == [1, 2, 3], "what was born has faded, what was warm has not"
        assert all(state.warm and state.weight > 0 for state in states.values())
        assert clusterer.predict_many(warm).tolist() == [1, 2, 3]
        assert clusterer.predict(CORNERS[3]) == 0

    def test_merge_maps_future_points_to_the_target(self) -> None:
        clusterer = self.taught()
        clusterer.changes()
        a, b, c, d = clusterer.predict_many(CORNERS).tolist()
        clusterer.merge([b, c], a)
        assert clusterer.changes() == [Merged(b, a), Merged(c, a)]
        assert clusterer.predict_many(CORNERS).tolist() == [a, a, a, d]
        assert clusterer.resolve(b) == a
        for x, k in zip(*blobs(40, seed=5), strict=True):
            assert clusterer.learn(x, 3.0) == (d if k == 3 else a)
        states = {state.id: state for state in clusterer.clusters()}
        assert [states[id].merged_into for id in (a, b, c, d)] == [0, a, a, 0]
        assert sum(states[id].segments for id in (a, d)) == 100
        clusterer.merge([a], d)
        assert clusterer.predict_many(CORNERS).tolist() == [d, d, d, d]
        assert {clusterer.resolve(id) for id in (a, b, c, d)} == {d}

    def test_merge_refuses_what_it_cannot_do(self) -> None:
        clusterer = self.taught()
        before, (a, b, *_) = clusterer.clusters(), clusterer.predict_many(CORNERS).tolist()
        with pytest.raises(UnknownClusterError, match="got 99"):
            clusterer.merge([a, 99], b)
        with pytest.raises(ClusterError, match="expected clusters that differ"):
            clusterer.merge([b, a], a)
        with pytest.raises(ClusterError, match="expected clusters that differ"):
            clusterer.merge([b, b], a)
        assert clusterer.clusters() == before

    def test_dicts_and_arrays_agree(self) -> None:
        X, _ = blobs(60, seed=6)
        named, plain = self.make(), self.make()
        columns = ["hip", "knee", "lean", "pace", "turn", "wrist"]
        for x in X:
            named.learn_one(dict(reversed(list(zip(columns, x, strict=True)))), w=2.0)
            plain.learn(x, 2.0)
            assert named.predict_one(dict(zip(columns, x, strict=True))) == plain.predict(x)
        assert named.clusters() == plain.clusters()
        with pytest.raises(ClusterError, match=r"expected features \('hip'.*got \('ankle'"):
            named.predict_one(dict(zip(["ankle", *columns[1:]], X[0], strict=True)))

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            (np.array([0, 0, math.nan, 0, 0, 0]), "nan at position 2"),
            (np.array([0, 0, 0, 0, 0, -math.inf]), "-inf at position 5"),
            (np.zeros(D + 1), r"expected a point \(6,\), got shape \(7,\)"),
            (np.zeros((1, D)), r"got shape \(1, 6\)"),
        ],
    )
    def test_bad_points_are_refused(self, bad: NDArray[np.float64], message: str) -> None:
        clusterer = self.taught()
        twin = copy.deepcopy(clusterer)
        with pytest.raises(ValueError, match=message):
            clusterer.learn(bad, 1.0)
        with pytest.raises(ValueError, match=message):
            clusterer.predict(bad)
        if bad.ndim == 1:
            with pytest.raises(ValueError, match=message):
                clusterer.learn_one(dict(enumerate(bad)))
        with pytest.raises(ValueError, match=r"expected (finite )?points"):
            clusterer.predict_many(bad[None])
        for weight in (0.0, -1.0, math.nan, math.inf):
            with pytest.raises(ValueError, match=re.escape(f"expected a finite weight > 0 seconds, got {weight}")):
                clusterer.learn(np.zeros(D), weight)
        with pytest.raises(ValueError, match="got -1"):
            clusterer.decay(-1)
        with pytest.raises(ClusterError, match="expected an id >= 1, got 0"):
            clusterer.learn(np.zeros(D), 1.0, id=0)
        assert [clusterer.learn(x, 1.0) for x in CORNERS] == [twin.learn(x, 1.0) for x in CORNERS]
        assert clusterer.clusters() == twin.clusters()

    def test_the_given_id_takes_the_point(self) -> None:
        clusterer = self.taught()
        a, b, *_ = clusterer.predict_many(CORNERS).tolist()
        halfway = CORNERS[:2].mean(0)
        assert clusterer.predict(halfway) == 0
        assert clusterer.learn(halfway, 2.0, id=b, time_us=7) == b
        clusterer.merge([b], a)
        assert clusterer.learn(halfway, 2.0, id=b, time_us=8) == a
        state = clusterer.clusters()[a - 1]
        assert (state.id, state.last_seen_us) == (a, 8)

    def test_an_id_given_in_advance_is_born_with_its_first_point(self) -> None:
        """A session names a cluster before it has settled a segment of it."""
        clusterer = self.taught()
        clusterer.changes()
        id = clusterer.next_id + 5
        far = np.full(D, -2.0)
        assert clusterer.learn(far, 2.0, id=id, time_us=9) == id
        assert clusterer.changes() == [Created(id)]
        assert [clusterer.learn(far, 2.0) for _ in range(5)] == [id] * 5
        assert clusterer.predict(far) == id
        assert clusterer.clusters()[-1].created_us == 9
        assert clusterer.next_id == id + 1
        clusterer.learn(-far, 2.0, id=id - 2)
        assert [state.id for state in clusterer.clusters()][-2:] == [id - 2, id]
        assert clusterer.predict_many([far, -far]).tolist() == [id, id - 2]
        assert clusterer.next_id == id + 1

    def test_states_carry_a_clusterer_over(self) -> None:
        clusterer = self.kind(D, warm_clusters(CORNERS[:1]))
        for t, x in enumerate(blobs(60, seed=7)[0]):
            clusterer.learn(x, 3.0, time_us=1000 * t)
        a, b, c, d = clusterer.predict_many(CORNERS).tolist()
        clusterer.rename(b, "jump")
        clusterer.merge([c], d)
        again = self.kind(D, initial_clusters(CORNERS[:1] + 5, clusterer.clusters()), clusterer.next_id + 3)
        X = np.random.default_rng(7).uniform(-1, 3, (500, D))
        assert np.array_equal(again.predict_many(X), clusterer.predict_many(X))
        assert again.clusters() == clusterer.clusters()
        assert again.next_id == clusterer.next_id + 3
        assert [state.name for state in again.clusters()] == ["" if id != b else "jump" for id in sorted((a, b, c, d))]
        far = [again.learn(np.full(D, 5.0), 1.0) for _ in range(3)][-1]
        assert far == clusterer.next_id + 3

    def test_names_outlive_fading_and_capacity(self) -> None:
        clusterer = self.make(capacity=4)
        for x in blobs(60)[0]:
            clusterer.learn(x, 3.0)
        ids = clusterer.predict_many(CORNERS).tolist()
        clusterer.rename(ids[0], "walk")
        clusterer.decay(1e6)
        assert [(state.id, state.name) for state in clusterer.clusters()] == [(ids[0], "walk")]
        for k, x in enumerate(np.eye(D) * -4):
            born = [clusterer.learn(x, 3.0 + k) for _ in range(3)][-1]
            assert born > max(ids)
            assert clusterer.predict(CORNERS[0]) == ids[0]
            assert len(clusterer.clusters()) <= 4
        named = [state.id for state in clusterer.clusters()][:3]
        for id in named:
            clusterer.rename(id, f"action {id}")
        assert {clusterer.learn(np.full(D, 7.0), 3.0) for _ in range(3)} & set(named) == set()
        assert [state.id for state in clusterer.clusters()][:3] == named, "what has no name makes room"
        with pytest.raises(UnknownClusterError, match="got 1000"):
            clusterer.rename(1000, "x")

    def test_river_sees_a_clusterer(self) -> None:
        clusterer = self.make(radius=0.7)
        assert type(clusterer).__name__ in repr(clusterer)
        assert clusterer.clone().radius == 0.7
        assert not clusterer._supervised  # noqa: SLF001  # river asks by this name

    @pytest.mark.data
    def test_real_segments_group_by_action(self, data_dir: Path) -> None:
        """One cluster for all has an index of 0, one for each segment too."""
        X, actions = subject_86(data_dir)
        clusterer, score = self.kind(12), metrics.AdjustedRand()
        for x, action in zip(X, actions, strict=True):
            score.update(action, clusterer.learn(x, 3.0))
        assert score.get() > self.least_rand
        assert 10 <= len({clusterer.resolve(id) for id in clusterer.predict_many(X).tolist()} - {0}) <= 30
