"""Gives hypothesised segments the ids of clusters, and hands settled segments to the clusterer to learn.

In: the segmenter's hypotheses after each moment. Out: the label of every moment that is not settled. Segments and
clusters that segments of this stream were learnt into are linked by average distance; a group takes the id that most of
its weight bore before, else that of the nearest cluster of the model, else a new one. Centres that came with the model
take no part in the linking until a segment has moved them: they lie between the actions of another performer, tear some
apart and join others (of seven trials of CMU subject 86, shown ones that took part joined two actions in one, at a cost
of .03 of the mean accuracy). A cluster that no segment has been learnt into yet is young: its id is given, its
centre is that of the segments that show it now.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_server.session.clustering import ClusterState, OnlineClusterer
from motionscribe_server.session.segmenter import Hypothesis


@dataclass(frozen=True, slots=True)
class Labelled:
    """A hypothesis with its cluster."""

    segment: Hypothesis
    cluster: int
    margin: float
    """Distance from its mean to the nearest other cluster; infinite when there is none."""


@dataclass(frozen=True, slots=True)
class _Centres:
    """The clusterer's centres: those that learnt from segments of this stream, and those of the model that did not."""

    ids: list[int]
    centres: Array
    """(n, d)"""
    weights: list[float]
    unlearnt_ids: list[int]
    unlearnt: Array
    """(m, d)"""
    merged_ids: set[int]
    """Ids of more than one centre: a user merged them."""


class Labeller:
    """Labels of one stream. Moments are numbered through gaps, without holes."""

    def __init__(self, clusterer: OnlineClusterer, radius: float, moment_s: float, history: int) -> None:
        """Segments that ended `history` moments ago are learnt and no longer labelled anew."""
        self.clusterer = clusterer
        self._history = history
        self._radius = radius
        self._moment_s = moment_s
        self._first = 0  # moments before this one are learnt
        self._labels: list[int] = []  # of moments from `_first` on
        self.current: list[Labelled] = []
        self._young: dict[int, None] = {}  # ids of final labels, shown and not learnt; the last to become final is last
        self._learnt = {state.id for state in clusterer.clusters() if state.segments or not state.warm}
        self._announced = {state.id for state in clusterer.clusters()}  # ids that events spoke of
        self._made_room: list[int] = []  # ids that nobody has asked for yet
        self._centres: _Centres | None = None  # read anew after the clusterer changed

    def label(self, moment: int) -> int:
        """Present label of a moment that is not learnt yet."""
        return self._labels[moment - self._first]

    def make_final(self, id: int) -> bool:
        """`id` is about to become final; True when it is new."""
        self.clusterer.note_given(id)
        if not self.clusterer.resolve(id) and id in self._shown():
            self._give_place(id)
        return self.announce(id)

    def announce(self, id: int) -> bool:
        """True where no event spoke of `id` before."""
        new = id not in self._announced
        self._announced.add(id)
        return new

    def young(self) -> list[ClusterState]:
        """Clusters that final labels bear but the clusterer has not learnt."""
        states = []
        for id in sorted(self._young):
            segments = [shown.segment for shown in self.current if shown.cluster == id]
            moments = np.array([s.end - s.start for s in segments], np.float64)
            centre = (moments[:, None] * np.array([s.mean for s in segments])).sum(0) / moments.sum()
            seconds = float(moments.sum()) * self._moment_s
            states.append(ClusterState(id, "", 0, False, centre, seconds, 0, 0, len(segments), seconds))
        return states

    def distance_to_centre(self, moment: int, id: int) -> float:
        """How far the segment of a moment is from the centre of cluster `id`; infinite where either is not known."""
        mean = next((s.segment.mean for s in self.current if s.segment.start <= moment < s.segment.end), None)
        if mean is None:
            return math.inf
        ids, distances = self.clusterer.distances(mean[None])
        young = [float(np.linalg.norm(state.centre - mean)) for state in self.young() if state.id == id]
        return min([*distances[0, ids == id].tolist(), *young], default=math.inf)

    def introduce(self, ids: Sequence[int]) -> None:
        """Lets the clusterer know young clusters at once, since a user names or merges them."""
        for state in self.young():
            if state.id in ids:
                self.clusterer.learn(state.centre, state.weight, state.id)
                del self._young[state.id]
                self._learnt.add(state.id)
        self._centres = None

    def take_made_room(self) -> list[int]:
        """Ids since the last call that were forgotten, so that others have room."""
        forgotten, self._made_room = self._made_room, []
        return forgotten

    def forget_gone(self, open_id: int) -> Collection[int]:
        """Forgets ids that no centre and no segment bears: no label will. `open_id` is that of the open final segment.

        Returns the ids that events spoke of and that are left.
        """
        self._learnt = {id for id in self._learnt if self.clusterer.resolve(id)}
        shown = self._shown() | {open_id}
        self._announced = {id for id in self._announced if id in shown or self.clusterer.resolve(id)}
        return self._announced

    def push(self, hypotheses: Sequence[Hypothesis], time_us: int) -> bool:
        """Labels all moments of the newest hypotheses, then learns what ended before the history; whether any was."""
        segments = [h for h in hypotheses if h.end > self._first]
        settled = max(0, segments[0].start - self._first)  # moments of a long segment that are not cut anew any more
        self._labels, self._first = self._labels[settled:], self._first + settled
        clusters = self._assign(segments)
        self._labels += [0] * (segments[-1].end - self._first - len(self._labels))
        for labelled in clusters:
            start = max(labelled.segment.start, self._first)
            end = labelled.segment.end
            self._labels[start - self._first : end - self._first] = [labelled.cluster] * (end - start)
        self.current = clusters
        shown = self._shown()
        self._young = {id: None for id in self._young if id in shown}
        newest, first = segments[-1].end, self._first
        while len(self.current) > 1 and self.current[0].segment.end <= newest - self._history:
            self._learn(self.current.pop(0), time_us)
        return self._first > first

    def finish(self, time_us: int) -> None:
        """Learns all segments, at a gap or at the end."""
        while self.current:
            self._learn(self.current.pop(0), time_us)

    def relabel(self) -> None:
        """Clusters were merged: what is not learnt yet follows."""
        self._centres = None
        self._labels = [self._standing(id) for id in self._labels]
        self.current = [Labelled(s.segment, self._standing(s.cluster), s.margin) for s in self.current]
        self._learnt = {self._standing(id) for id in self._learnt}
        self._young = {id: None for id in self._young if not self.clusterer.resolve(id)}

    def split(self, id: int) -> None:
        """A cluster stands for itself again: what is not learnt yet may become it."""
        self._learnt.add(id)
        self._centres = None

    def state(self) -> State:
        """See motionscribe_models/state.py. The clusterer has a state of its own."""
        means = np.array([shown.segment.mean for shown in self.current]).reshape(-1, self.clusterer.dimensions)
        return {
            "first": self._first,
            "labels": list(self._labels),
            "segments": [[shown.segment.start, shown.segment.end] for shown in self.current],
            "means": means,
            "clusters": [shown.cluster for shown in self.current],
            "margins": [shown.margin for shown in self.current],
            "young": list(self._young),
            "learnt": sorted(self._learnt),
            "announced": sorted(self._announced),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken, with the clusterer restored from the same moment."""
        self._first, self._labels = state["first"], list(state["labels"])
        rows = zip(state["segments"], state["means"], state["clusters"], state["margins"], strict=True)
        self.current = [Labelled(Hypothesis(a, b, mean), cluster, margin) for (a, b), mean, cluster, margin in rows]
        self._young, self._learnt = dict.fromkeys(state["young"]), set(state["learnt"])
        self._announced = set(state["announced"])
        self._centres = None

    def _shown(self) -> set[int]:
        """Ids of the segments that are not learnt."""
        return {shown.cluster for shown in self.current}

    def _give_place(self, id: int) -> None:
        """The clusterer will have room for `id` when it learns it; of others that are young, the oldest go last."""
        had_one = id in self._young
        self._young.pop(id, None)
        self._young[id] = None
        if had_one:
            return
        self._made_room += self.clusterer.make_room(len(self._young), self._shown())
        while len(self._young) > self.clusterer.nameless_places:
            self._made_room.append(oldest := next(iter(self._young)))
            del self._young[oldest]
        self._centres = None

    def _standing(self, id: int) -> int:
        """What `id` was merged into, or itself."""
        return self.clusterer.resolve(id) or id

    def _learn(self, labelled: Labelled, time_us: int) -> None:
        moments = labelled.segment.end - max(labelled.segment.start, self._first)
        id = self._standing(labelled.cluster)
        self.clusterer.decay(moments * self._moment_s)
        if not self.clusterer.resolve(id):
            self._give_place(id)
        self._learnt.add(self.clusterer.learn(labelled.segment.mean, moments * self._moment_s, id, time_us))
        self._young.pop(id, None)
        self._centres = None
        self._labels = self._labels[moments:]
        self._first = labelled.segment.end

    def _assign(self, segments: Sequence[Hypothesis]) -> list[Labelled]:
        """One cluster for each segment, in order."""
        centres = self._centres = self._centres or self._read_centres()
        ids = centres.ids
        means = np.array([s.mean for s in segments])
        points = np.vstack([centres.centres, means])
        apart = distances(points)
        pairs = apart[np.triu_indices(len(points), 1)]
        groups = cut(linkage(pairs, "average") if len(pairs) else np.empty((0, 4)), len(points), self._radius)
        votes: dict[tuple[int, int], float] = {}
        standing = set(zip(groups, ids, strict=False))  # one id twice where a user merged clusters
        for group, id, weight in zip(groups, ids, centres.weights, strict=False):
            votes[group, id] = votes.get((group, id), 0.0) + weight / self._moment_s
        own = groups[len(ids) :]
        for group, segment in zip(own, segments, strict=True):
            start = max(segment.start, self._first)
            before = self._labels[start - self._first : segment.end - self._first]
            for id in set(before):
                votes[group, id] = votes.get((group, id), 0.0) + before.count(id)
        of_group: dict[int, int] = {}
        for (group, id), _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0])):
            if group not in of_group and (id not in of_group.values() or (group, id) in standing):
                of_group[group] = id
        for group in dict.fromkeys(own):
            if group not in of_group:
                mean = means[np.array(own) == group].mean(axis=0)
                of_group[group] = self._new_cluster(mean, centres, set(of_group.values()))
        labels = [of_group[group] for group in own]
        same = np.array(labels)[:, None] == np.array([*ids, *labels])
        margins = np.where(same, np.inf, apart[len(ids) :]).min(axis=1).tolist()
        return [Labelled(*labelled) for labelled in zip(segments, labels, margins, strict=True)]

    def _read_centres(self) -> _Centres:
        ids, centres, weights = self.clusterer.centres()
        learnt = np.isin(ids, list(self._learnt))
        merged_ids = {id for id, count in Counter(ids.tolist()).items() if count > 1}
        own = ids[learnt].tolist(), centres[learnt], weights[learnt].tolist()
        return _Centres(*own, ids[~learnt].tolist(), centres[~learnt], merged_ids)

    def _new_cluster(self, mean: Array, centres: _Centres, taken: set[int]) -> int:
        """An id for a group of this mean (d,): that of the nearest centre that has not learnt, else a new one.

        Not one that another group has `taken`, unless a user merged clusters into it: then it names many motions.
        """
        barred = np.isin(centres.unlearnt_ids, list(taken - centres.merged_ids))
        away = np.where(barred, np.inf, np.linalg.norm(centres.unlearnt - mean, axis=1))
        if away.size and away.min() <= self._radius:
            return centres.unlearnt_ids[away.argmin()]
        return max([self.clusterer.next_id, *(id + 1 for id in taken)])


def distances(points: Array) -> Array:
    """(n, n) between points (n, d), by one matrix product."""
    squares = (points * points).sum(axis=1)
    between: Array = np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * (points @ points.T), 0.0))
    return between


def cut(tree: Array, points: int, radius: float) -> list[int]:
    """Groups of the points of a linkage (points - 1, 4), numbered from 0: scipy's fcluster, without its checks."""
    members = {point: [point] for point in range(points)}
    for joined, (one, other, distance, _) in enumerate(tree.tolist(), points):
        if distance > radius:  # those that follow are no nearer
            break
        members[joined] = members.pop(int(one)) + members.pop(int(other))
    groups = [0] * points
    for group, indices in enumerate(members.values()):
        for index in indices:
            groups[index] = group
    return groups
