"""What the labeller learns, when it learns it, and what it says of clusters that are young or merged."""

from collections.abc import Sequence

import numpy as np
import pytest
from tests.support.labelled_segments import LEARN_AFTER, A, B, C, hypotheses, ids, labeller

from motionscribe_server.session.clustering import OnlineClusterer
from motionscribe_server.session.labeller import Labeller

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


def test_labels_stay_where_they_are_while_a_long_segment_is_settled_and_learnt() -> None:
    labels = labeller()
    labels.push(hypotheses([(650, A), (20, B)]), 0)
    labels.push(hypotheses([(300, A), (20, B), (290, C)], 350), 0)
    assert labels.clusterer.resolve(1), "the long one is learnt"
    assert [labels.label(m) for m in (650, 669, 670, 959)] == [2, 2, 3, 3]
    assert len(labels.state()["labels"]) == 310


def test_a_segment_of_hours_takes_no_more_room_than_one_of_minutes() -> None:
    labels = labeller()
    for start in range(0, 40_000, 100):
        labels.push(hypotheses([(400, A)], start), 0)
    assert len(labels.state()["labels"]) == 400


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
    assert (state.id, state.segments) == (2, 2)
    assert state.seconds == pytest.approx(4.0)
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


def test_an_id_that_nothing_shows_any_more_is_forgotten() -> None:
    labels = labeller()
    labels.push(hypotheses([(5, A), (10, B)]), 0)
    labels.make_final(1)
    labels.make_final(2)
    labels.push(hypotheses([(16, B)]), 0)
    assert ids(labels) == [2]
    assert [state.id for state in labels.young()] == [2]
    labels.finish(0)
    assert 1 not in labels.forget_gone(open_id=0)
    labels.push(hypotheses([(10, C)], 16), 0)
    assert ids(labels) == [3], "no other motion gets it"


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
