"""Gives hypothesised segments the ids of clusters, and hands settled segments to the clusterer to learn.

In: the segmenter's hypotheses after each moment. Out: the label of every moment that is not settled. Segments and
clusters that segments of this stream were learnt into are linked by average distance; a group takes the id that most of
its weight bore before, else that of the nearest cluster of the model, else a new one. Centres that came with the model
take no part in the linking until a segment has moved them: they lie between the actions of another performer, tear some
apart and join others (of seven trials of CMU subject 86, shown ones that took part joined two actions in one, at a cost
of .03 of the mean accuracy). A cluster that no segment has been learnt into yet is young: its id is given, its
centre is that of the segments that show it now.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage

from motionscribe_server.session.clustering import ClusterState, OnlineClusterer
from motionscribe_server.session.segmenter import Hypothesis

Array = NDArray[np.float64]

LEARN_AFTER = 300
"""Moments after which a closed segment is learnt and no longer labelled anew. Half as many cost up to .007 accuracy
on CMU subject 86."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A hypothesis with its cluster."""

    segment: Hypothesis
    cluster: int
    margin: float
    """Distance from its mean to the nearest other cluster; infinite when there is none."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The clusterer's centres: those of this stream, with their weights, and those of the model that wait."""

    ids: list[int]
    centres: Array
    weights: list[float]
    waiting_ids: list[int]
    waiting: Array
    several: set[int]
    """Ids of more than one centre: a user merged them."""


class Labeller:
    """Labels of one stream. Moments are numbered through gaps, without holes."""

    def __init__(self, clusterer: OnlineClusterer, radius: float, moment_s: float) -> None:
        self.clusterer = clusterer
        self._radius = radius
        self._moment_s = moment_s
        self._first = 0  # moments before this one are learnt
        self._labels: list[int] = []  # of moments from `_first` on
        self.current: list[Labelled] = []
        self._given: set[int] = set()  # ids of final labels that the clusterer has not met
        self._learnt = {state.id for state in clusterer.clusters() if state.segments}
        self._announced = {state.id for state in clusterer.clusters()}
        self._beyond = 1  # first id beyond all that were given
        self._known: _Known | None = None  # until the clusterer changes

    @property
    def next_id(self) -> int:
        """First id that no label ever bore."""
        return max(self.clusterer.next_id, self._beyond)

    def label(self, moment: int) -> int:
        """Present label of a moment that is not learnt yet."""
        return self._labels[moment - self._first]

    def give(self, id: int) -> bool:
        """`id` is about to become final; True when it is new."""
        self._beyond = max(self._beyond, id + 1)
        if not self.clusterer.resolve(id):
            self._given.add(id)
        return self.announce(id)

    def announce(self, id: int) -> bool:
        """True where nobody was told of `id` before."""
        new = id not in self._announced
        self._announced.add(id)
        return new

    def young(self) -> list[ClusterState]:
        """Clusters whose ids are given but which the clusterer has not learnt."""
        states = []
        for id in sorted(self._given):
            segments = [shown.segment for shown in self.current if shown.cluster == id]
            if not segments:  # what showed it is seen otherwise by now: only the id is left
                states.append(ClusterState(id, "", 0, False, np.zeros(self.clusterer.dimensions), 0.0, 0, 0, 0, 0.0))
            else:
                moments = np.array([s.end - s.start for s in segments], np.float64)
                centre = (moments[:, None] * np.array([s.mean for s in segments])).sum(0) / moments.sum()
                seconds = float(moments.sum()) * self._moment_s
                states.append(ClusterState(id, "", 0, False, centre, seconds, 0, 0, len(segments), seconds))
        return states

    def introduce(self, ids: Sequence[int]) -> None:
        """Lets the clusterer know young clusters at once, since a user names or merges them."""
        for state in self.young():
            if state.id in ids and state.weight:
                self.clusterer.learn(state.centre, state.weight, state.id)
                self._given.discard(state.id)
                self._learnt.add(state.id)
        self._known = None

    def push(self, hypotheses: Sequence[Hypothesis], time_us: int) -> None:
        """Labels all moments of the newest hypotheses, then learns what is older than LEARN_AFTER."""
        segments = [h for h in hypotheses if h.end > self._first]
        clusters = self._assign(segments)
        self._labels += [0] * (segments[-1].end - self._first - len(self._labels))
        for labelled in clusters:
            start = max(labelled.segment.start, self._first)
            end = labelled.segment.end
            self._labels[start - self._first : end - self._first] = [labelled.cluster] * (end - start)
        self.current = clusters
        newest = segments[-1].end
        while len(self.current) > 1 and self.current[0].segment.end <= newest - LEARN_AFTER:
            self._learn(self.current.pop(0), time_us)

    def finish(self, time_us: int) -> None:
        """Learns all segments, at a gap or at the end."""
        while self.current:
            self._learn(self.current.pop(0), time_us)

    def relabel(self) -> None:
        """Clusters were merged: what is not learnt yet follows."""
        self._known = None
        self._labels = [self._standing(id) for id in self._labels]
        self.current = [Labelled(s.segment, self._standing(s.cluster), s.margin) for s in self.current]
        self._learnt = {self._standing(id) for id in self._learnt}
        self._given = {id for id in self._given if not self.clusterer.resolve(id)}

    def _standing(self, id: int) -> int:
        """What `id` was merged into, or itself."""
        return self.clusterer.resolve(id) or id

    def _learn(self, labelled: Labelled, time_us: int) -> None:
        moments = labelled.segment.end - max(labelled.segment.start, self._first)
        id = self._standing(labelled.cluster)
        self.clusterer.decay(moments * self._moment_s)
        self._learnt.add(self.clusterer.learn(labelled.segment.mean, moments * self._moment_s, id, time_us))
        self._given.discard(labelled.cluster)
        self._known = None
        self._labels = self._labels[moments:]
        self._first = labelled.segment.end

    def _assign(self, segments: Sequence[Hypothesis]) -> list[Labelled]:
        """One cluster for each segment, in order."""
        known = self._known = self._known or self._look()
        ids = known.ids
        means = np.array([s.mean for s in segments])
        points = np.vstack([known.centres, means])
        apart = distances(points)
        pairs = apart[np.triu_indices(len(points), 1)]
        groups = cut(linkage(pairs, "average") if len(pairs) else np.empty((0, 4)), len(points), self._radius)
        votes: dict[tuple[int, int], float] = {}
        standing = set(zip(groups, ids, strict=False))  # one id twice where a user merged clusters
        for group, id, weight in zip(groups, ids, known.weights, strict=False):
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
                of_group[group] = self._fresh(mean, known, set(of_group.values()))
        labels = [of_group[group] for group in own]
        same = np.array(labels)[:, None] == np.array([*ids, *labels])
        margins = np.where(same, np.inf, apart[len(ids) :]).min(axis=1).tolist()
        return [Labelled(*labelled) for labelled in zip(segments, labels, margins, strict=True)]

    def _look(self) -> _Known:
        ids, centres, weights = self.clusterer.centres()
        learnt = np.isin(ids, list(self._learnt))
        several = {id for id, count in Counter(ids.tolist()).items() if count > 1}
        own = ids[learnt].tolist(), centres[learnt], weights[learnt].tolist()
        return _Known(*own, ids[~learnt].tolist(), centres[~learnt], several)

    def _fresh(self, mean: Array, known: _Known, taken: set[int]) -> int:
        """An id for a group of this mean (d,): of the centres that wait, or new.

        Not one that another group has `taken`, unless a user merged clusters into it: then it names several motions.
        """
        barred = np.isin(known.waiting_ids, list(taken - known.several))
        away = np.where(barred, np.inf, np.linalg.norm(known.waiting - mean, axis=1))
        if away.size and away.min() <= self._radius:
            return known.waiting_ids[away.argmin()]
        return max([self.next_id, *(id + 1 for id in taken)])


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
