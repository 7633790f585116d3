"""Segments of one motion bear one id, whatever is cut anew, shown or told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from tests.support.labelled_segments import A, B, C, hypotheses, ids, labeller

from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.labeller import cut

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
    assert labels.clusterer.next_id == 10
    labels.push(hypotheses([(10, (9.0, 9.0))]), 0)
    assert ids(labels) == [10]
    assert labels.clusterer.next_id == 10, "nothing final bears it"
    labels.make_final(10)
    assert labels.clusterer.next_id == 11


@given(st.integers(2, 12), st.floats(0, 4), st.integers(0, 1000))
def test_a_tree_is_cut_as_scipy_cuts_it(points: int, radius: float, seed: int) -> None:
    tree = linkage(np.random.default_rng(seed).normal(size=(points, 3)), "average")
    ours, theirs = cut(tree, points, radius), fcluster(tree, radius, "distance")
    assert len(set(zip(ours, theirs, strict=True))) == len(set(ours)) == len(set(theirs))
