"""Segments of one motion bear one id, whatever is cut anew, learnt, merged or forgotten."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from motionscribe_server.session.clustering import ClusterState, DPMeans, OnlineClusterer, initial_clusters
from motionscribe_server.session.labeller import LEARN_AFTER, Labeller, cut
from motionscribe_server.session.segmenter import Hypothesis

MOMENT_S = 0.1
RADIUS = 0.5
Part = tuple[int, Sequence[float]]


def hypotheses(parts: Sequence[Part], start: int = 0) -> list[Hypothesis]:
    """(length, mean) in order to segments from moment `start` on."""
    made = []
    for length, mean in parts:
        made.append(Hypothesis(start, start + length, np.array(mean, float)))
        start += length
    return made


def labeller(centres: Sequence[Sequence[float]] = (), stored: Sequence[ClusterState] = (), **more: int) -> Labeller:
    clusterer = DPMeans(2, initial_clusters(centres, stored), radius=RADIUS, **more)
    return Labeller(clusterer, RADIUS, MOMENT_S)


def ids(labels: Labeller) -> list[int]:
    return [shown.cluster for shown in labels.current]


A, B, C = (0.0, 0.0), (5.0, 0.0), (0.0, 5.0)


# -- ids


def test_like_motion_bears_one_id_and_unlike_motion_others() -> None:
    labels = labeller()
    labels.push(hypotheses([(10, A), (10, B), (10, (0.2, 0.1)), (10, C), (5, (5.1, 0))]), 0)
    first, second, again, third, once_more = ids(labels)
    assert (again, once_more) == (first, second)
    assert len({first, second, third}) == 3
    assert [labels.label(m) for m in (0, 9, 10, 25, 35, 44)] == [first, first, second, first, third, second]


def test_an_id_stays_while_segments_are_cut_anew() -> None:
    labels = labeller()
    labels.push(hypotheses([(20, A)]), 0)
    (before,) = ids(labels)
    labels.push(hypotheses([(12, A), (9, B)]), 0)
    kept, other = ids(labels)
    assert kept == before != other
    labels.push(hypotheses([(11, A), (11, B)]), 0)
    assert ids(labels) == [kept, other]


def test_of_two_parts_the_larger_keeps_the_id() -> None:
    labels = labeller()
    labels.push(hypotheses([(20, A)]), 0)
    (before,) = ids(labels)
    labels.push(hypotheses([(6, B), (15, A)]), 0)
    assert ids(labels)[1] == before != ids(labels)[0]


def test_margin_is_the_distance_to_the_nearest_other_cluster() -> None:
    labels = labeller()
    labels.push(hypotheses([(10, A)]), 0)
    assert labels.current[0].margin == float("inf")
    labels.push(hypotheses([(10, A), (10, B), (10, (3.0, 0.0)), (5, (0.1, 0.0))]), 0)
    assert [shown.margin for shown in labels.current] == pytest.approx([3.0, 2.0, 2.0, 2.9])


# -- clusters that wait to be shown


def test_a_waiting_cluster_gives_its_id_to_what_is_near() -> None:
    labels = labeller([A, B])
    labels.push(hypotheses([(10, (5.2, 0.1)), (10, (0.1, 0)), (10, C)]), 0)
    assert ids(labels) == [2, 1, 3]


def test_of_waiting_clusters_the_nearest_is_taken() -> None:
    labels = labeller([(0.4, 0.0), (-0.1, 0.0), (0.3, 0.0)])
    labels.push(hypotheses([(10, A)]), 0)
    assert ids(labels) == [2]


def test_no_two_groups_bear_the_id_of_one_waiting_cluster() -> None:
    labels = labeller([A])
    labels.push(hypotheses([(10, (0.4, 0)), (10, (-0.4, 0))]), 0)
    assert sorted(ids(labels)) == [1, 2]


def test_waiting_clusters_do_not_tear_segments_apart_nor_join_them() -> None:
    """Linked among themselves the segments are one motion; a waiting centre at each would not change that."""
    near = [(10, (0.0, 0.0)), (10, (0.45, 0.0))]
    waiting = labeller([(-0.4, 0.0), (0.85, 0.0)])
    waiting.push(hypotheses(near), 0)
    assert len(set(ids(waiting))) == 1
    apart = labeller([(0.3, 0.0)])
    apart.push(hypotheses([(10, (0.0, 0.0)), (10, (0.6, 0.0))]), 0)
    assert len(set(ids(apart))) == 2


def test_what_an_earlier_session_showed_does_not_wait() -> None:
    state = ClusterState(7, "jump", 0, False, np.array([0.45, 0.0]), 30.0, 0, 0, 3, 30.0)
    labels = labeller([(-0.3, 0.0)], [state])
    labels.push(hypotheses([(10, A)]), 0)
    assert ids(labels) == [7], "a waiting cluster is nearer, but a shown one is near enough"


def test_a_cluster_of_the_model_joins_nothing_until_it_has_learnt() -> None:
    """Its centre lies between two motions; with it among the points all would be one."""
    labels = labeller([(0.3, 0.0)])
    labels.push(hypotheses([(10, A)]), 0)
    assert not labels.make_final(1)
    labels.push(hypotheses([(10, A), (10, (0.6, 0.0))]), 0)
    assert ids(labels) == [1, 2]


# -- ids are given once


def test_an_id_is_new_once() -> None:
    labels = labeller([A])
    assert [labels.make_final(id) for id in (1, 2, 2, 1)] == [False, True, False, False]


def test_an_id_is_new_where_it_was_learnt_but_never_told() -> None:
    """A segment may be gone from the labels by the time that it would be final, and still be learnt."""
    labels = labeller()
    labels.push(hypotheses([(10, A), (10, B)]), 0)
    told, untold = ids(labels)
    assert labels.make_final(told)
    labels.finish(0)
    assert labels.clusterer.resolve(untold)
    assert labels.make_final(untold)
    assert not labels.make_final(untold)


def test_ids_begin_after_those_of_model_and_store() -> None:
    state = ClusterState(9, "", 0, False, np.array(C), 30.0, 0, 0, 3, 30.0)
    labels = labeller([A, B], [state])
    assert labels.next_id == 10
    labels.push(hypotheses([(10, (9.0, 9.0))]), 0)
    assert ids(labels) == [10]
    assert labels.next_id == 10, "nothing final bears it"
    labels.make_final(10)
    assert labels.next_id == 11


def test_an_id_is_not_reused_where_the_clusterer_has_no_room() -> None:
    """All centres came with the model and none may be forgotten for a new one."""
    labels = labeller([(10.0 * k, 50.0) for k in range(4)], capacity=4)
    labels.push(hypotheses([(10, A)]), 0)
    (first,) = ids(labels)
    labels.make_final(first)
    labels.finish(0)
    assert labels.clusterer.resolve(first) == 0
    labels.push(hypotheses([(10, B)], 10), 0)
    assert ids(labels)[0] > first


# -- learning


def test_segments_are_learnt_once_they_are_old() -> None:
    labels = labeller()
    labels.push(hypotheses([(50, A), (LEARN_AFTER, B)]), 7)
    old, new = 1, 2
    assert ids(labels) == [new]
    (learnt,) = labels.clusterer.clusters()
    assert (learnt.id, learnt.segments, learnt.last_seen_us) == (old, 1, 7)
    assert learnt.seconds == pytest.approx(5.0)
    labels.push(hypotheses([(50, A), (LEARN_AFTER + 1, B)]), 8)
    assert labels.clusterer.clusters()[0].segments == 1
    assert labels.label(50) == new


def test_the_open_segment_is_not_learnt_however_long_it_is() -> None:
    labels = labeller()
    labels.push(hypotheses([(3 * LEARN_AFTER, A)]), 0)
    assert labels.clusterer.clusters() == []
    assert len(ids(labels)) == 1


def test_a_segment_that_reaches_back_behind_what_is_learnt_is_learnt_for_the_rest() -> None:
    labels = labeller()
    labels.push(hypotheses([(50, A), (LEARN_AFTER, B)]), 0)
    labels.push(hypotheses([(40, A), (20, (0.1, 0.0)), (LEARN_AFTER, B)]), 0)
    assert sum(state.seconds for state in labels.clusterer.clusters()) == pytest.approx(6.0)
    assert labels.label(60) == 2


def test_finish_learns_all_and_the_next_timeline_goes_on() -> None:
    labels = labeller()
    labels.push(hypotheses([(20, A), (30, B)]), 0)
    labels.finish(5)
    assert labels.current == []
    assert [(s.id, s.segments, round(s.seconds, 6)) for s in labels.clusterer.clusters()] == [(1, 1, 2.0), (2, 1, 3.0)]
    for id in (1, 2):
        labels.make_final(id)
    labels.push(hypotheses([(10, (5.1, 0.0))], 50), 0)
    assert ids(labels) == [2]
    assert labels.label(50) == 2


# -- young clusters


def test_a_cluster_is_young_until_it_is_learnt() -> None:
    labels = labeller([A])
    labels.push(hypotheses([(10, A), (10, B), (10, C), (30, (5.2, 0.0))]), 0)
    assert labels.young() == []
    assert labels.make_final(2)
    (state,) = labels.young()
    assert (state.id, state.segments, state.seconds) == (2, 2, pytest.approx(4.0))
    np.testing.assert_allclose(state.centre, [5.15, 0.0])  # by length
    labels.finish(0)
    assert labels.young() == []
    assert [s.id for s in labels.clusterer.clusters()] == [1, 2, 3]


def test_a_young_cluster_can_be_introduced_once() -> None:
    labels = labeller()
    labels.push(hypotheses([(10, A), (10, B)]), 0)
    for id in ids(labels):
        labels.make_final(id)
    labels.introduce([2])
    labels.introduce([2])
    assert [state.id for state in labels.young()] == [1]
    (state,) = labels.clusterer.clusters()
    assert (state.id, state.segments, state.centre.tolist()) == (2, 1, list(B))


def test_an_id_that_nothing_shows_any_more_is_still_listed() -> None:
    labels = labeller()
    labels.push(hypotheses([(5, A), (10, B)]), 0)
    labels.make_final(1)
    labels.make_final(2)
    labels.push(hypotheses([(16, B)]), 0)
    assert ids(labels) == [2]
    assert [(state.id, state.weight > 0) for state in labels.young()] == [(1, False), (2, True)]


# -- merging


def learnt(*means: Sequence[float], centres: Sequence[Sequence[float]] = ()) -> Labeller:
    """A labeller that has learnt a segment of each, all told."""
    labels = labeller(centres)
    labels.push(hypotheses([(20, mean) for mean in means]), 0)
    for id in ids(labels):
        labels.make_final(id)
    labels.finish(0)
    return labels


def test_what_is_not_learnt_follows_a_merge() -> None:
    labels = learnt(A, B, C)
    labels.push(hypotheses([(10, A), (10, B), (10, C)], 60), 0)
    labels.clusterer.merge([1], 3)
    labels.relabel()
    assert ids(labels) == [3, 2, 3]
    assert [labels.label(m) for m in (60, 70, 80)] == [3, 2, 3]
    labels.push(hypotheses([(10, A), (10, B), (11, C)], 60), 0)
    assert ids(labels) == [3, 2, 3]


def test_merges_of_merged_clusters_are_followed_to_the_end() -> None:
    """Both merges lie between two looks at what changed."""
    labels = learnt(A, B, C)
    labels.push(hypotheses([(10, A), (10, B), (10, C)], 60), 0)
    labels.clusterer.merge([1], 2)
    labels.clusterer.merge([2], 3)
    labels.relabel()
    assert ids(labels) == [3, 3, 3]
    assert {labels.label(m) for m in range(60, 90)} == {3}


@pytest.mark.parametrize(("source", "target"), [(1, 2), (2, 1)])
def test_motion_like_the_source_is_labelled_as_a_target_that_was_never_shown(source: int, target: int) -> None:
    shown = (A, B)[source - 1]
    labels = learnt(shown, centres=[A, B])
    labels.clusterer.merge([source], target)
    labels.relabel()
    labels.push(hypotheses([(10, C), (10, shown)], 20), 0)
    assert ids(labels)[1] == target


@pytest.mark.parametrize("shown", [A, B])
@pytest.mark.parametrize("target", [1, 2])
def test_merged_clusters_that_both_wait_are_found_by_either_centre(shown: Sequence[float], target: int) -> None:
    labels = labeller([A, B])
    labels.clusterer.merge([3 - target], target)
    labels.relabel()
    labels.push(hypotheses([(10, shown)]), 0)
    assert ids(labels) == [target]


def test_a_young_cluster_may_be_merged_into_a_learnt_one() -> None:
    labels = learnt(A)
    labels.push(hypotheses([(10, B)], 20), 0)
    labels.make_final(2)
    labels.introduce([2])
    labels.clusterer.merge([2], 1)
    labels.relabel()
    assert ids(labels) == [1]
    assert labels.young() == []
    labels.finish(0)
    clusterer: OnlineClusterer = labels.clusterer
    assert clusterer.predict(B) == 1


@given(st.integers(2, 12), st.floats(0, 4), st.integers(0, 1000))
def test_a_tree_is_cut_as_scipy_cuts_it(points: int, radius: float, seed: int) -> None:
    tree = linkage(np.random.default_rng(seed).normal(size=(points, 3)), "average")
    ours, theirs = cut(tree, points, radius), fcluster(tree, radius, "distance")
    assert len(set(zip(ours, theirs, strict=True))) == len(set(ours)) == len(set(theirs))
