"""Clusters in common, what follows what, portraits, groups, seeds and failures: known cases and slow twins."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.made_up_watched import MOMENT_US, watched_of

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.cluster_portraits import LENGTH, course_of, portraits, stretched
from motionscribe_training.explaining.clusters_picture import (
    dendrogram_figure,
    exemplar_figure,
    transition_figure,
    usage_figure,
)
from motionscribe_training.explaining.common_clusters import in_common
from motionscribe_training.explaining.failures import failures
from motionscribe_training.explaining.group_difference import group_difference, share_difference
from motionscribe_training.explaining.seed_consistency import consistency
from motionscribe_training.explaining.transitions import transitions, usage

seeds = st.integers(0, 2**32 - 1)

# --- in common


def test_streams_number_the_same_motion_each_in_its_own_way() -> None:
    one = watched_of(0, (33, 34, 33), centres={33: (0.0, 0.0), 34: (5.0, 0.0)}, names={33: "walk"})
    other = watched_of(1, (34, 33), centres={34: (0.1, 0.0), 33: (9.0, 0.0)}, names={33: "sit", 34: "stroll"})
    found = in_common([one, other], 0.6)
    assert [[int(piece.label) for piece in part.labelled()] for part in found.watched] == [[1, 2, 1], [1, 3]]
    assert found.names == {1: "walk", 2: "2", 3: "sit"}
    np.testing.assert_allclose(found.centres[3], (9.0, 0.0), atol=0.05)
    assert found.watched[0].states == one.states
    assert set(in_common([one, other], 100.0).names) == {1}
    with pytest.raises(ValueError, match="expected moments with a label"):
        in_common([watched_of(2, (0,))], 0.6)


# --- transitions and usage


def test_changes_are_counted_and_visits_measured() -> None:
    found = transitions([watched_of(0, (1, 2, 1, 3, 1, 2)), watched_of(1, (2, 0, 3))])
    assert found.clusters == (1, 2, 3)
    assert found.counts.tolist() == [[0, 2, 1], [1, 0, 0], [1, 0, 0]], "nothing follows across what has no label"
    np.testing.assert_allclose(found.probabilities, [[0.0, 2 / 3, 1 / 3], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert [dwell.visits for dwell in found.dwell] == [3, 3, 2]
    assert found.dwell[0].quartiles_s == (2.0, 2.0, 2.0)
    assert transitions([watched_of(0, (1, 2))]).dwell[0].median_s is None, "both are cut by an end"


@given(seed=seeds)
def test_counts_are_those_of_a_walk_along_the_labels(seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, 12).tolist()
    watched = watched_of(0, tuple(labels), moments=2)
    slow: dict[tuple[int, int], int] = {}
    for before, after in zip(watched.clusters, watched.clusters[1:], strict=False):
        if 0 < before != after > 0:
            slow[int(before), int(after)] = slow.get((int(before), int(after)), 0) + 1
    found = transitions([watched])
    fast = {
        (a, b): int(found.counts[i, j])
        for i, a in enumerate(found.clusters)
        for j, b in enumerate(found.clusters)
        if found.counts[i, j]
    }
    assert fast == slow


def test_usage_is_shared_by_time_and_a_part_without_labels_is_empty() -> None:
    found = usage(watched_of(0, (1, 2, 0, 0, 2)), span_s=2.0)  # a run lasts as long
    assert found.clusters == (1, 2)
    np.testing.assert_allclose(found.shares, [[1, 0], [0, 1], [0, 0], [0, 0], [0, 1]])


# --- portraits


def test_a_portrait_shows_real_motion_of_its_cluster() -> None:
    common = in_common([watched_of(0, (1, 2, 1)), watched_of(1, (2, 1))], 0.3)
    first, second = portraits(common)
    assert (first.pieces, second.pieces) == (3, 2)
    assert first.seconds == pytest.approx(3 * 20 * MOMENT_US / 1e6)
    assert [(one.recording, one.piece.start) for one in first.newest] == [(1, 20), (0, 40), (0, 0)]
    for portrait in (first, second):
        part = common.watched[portrait.pose.recording]
        assert part.clusters[portrait.pose.piece.start] == portrait.cluster
        distances = np.concatenate(
            [
                np.linalg.norm(w.embeddings[w.clusters == portrait.cluster] - portrait.centre, axis=1)
                for w in common.watched
            ]
        )
        assert portrait.pose.distance == pytest.approx(distances.min())
        assert [one.distance for one in portrait.nearest] == sorted(one.distance for one in portrait.nearest)
        courses = [
            course_of(w, piece)
            for w in common.watched
            for piece in w.labelled()
            if piece.label == str(portrait.cluster)
        ]
        np.testing.assert_allclose(portrait.course, np.median(courses, axis=0))
        assert portrait.course.shape == (LENGTH, 6)


@given(seed=seeds, frames=st.integers(1, 40), length=st.integers(2, 40))
def test_stretching_is_linear_between_frames(seed: int, frames: int, length: int) -> None:
    values = np.random.default_rng(seed).normal(size=(frames, 2))
    places = np.linspace(0, frames - 1, length)
    slow = np.stack([np.interp(places, np.arange(frames), column) for column in values.T], axis=1)
    np.testing.assert_allclose(stretched(values, length), slow, atol=1e-12)


# --- groups


def slow_p(shares: Array, first: int) -> list[float]:
    """By all permutations of recordings, one loop a thing."""
    spread = shares.std(axis=0)
    spread[spread == 0] = 1

    def differences(order: tuple[int, ...]) -> list[float]:
        rows = shares[list(order)] / spread
        return [abs(float(a - b)) for a, b in zip(rows[:first].mean(axis=0), rows[first:].mean(axis=0), strict=True)]

    true = differences(tuple(range(len(shares))))
    largest = [max(differences(order)) for order in permutations(range(len(shares)))]
    return [float(np.mean([one >= found - 1e-9 for one in largest])) for found in true]


@given(seed=seeds, first=st.integers(1, 4))
def test_exact_p_is_that_of_all_permutations(seed: int, first: int) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(3), 5)
    found = share_difference((1, 2, 3), shares, first)
    assert found.exact
    slow = slow_p(shares, first)
    assert {row.cluster: pytest.approx(row.p) for row in found.clusters} == {1: slow[0], 2: slow[1], 3: slow[2]}


def test_groups_that_mean_nothing_are_told_apart_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    few = [
        min(row.p for row in share_difference(range(6), rng.dirichlet(np.ones(6), 8), 4).clusters) <= 0.1
        for _ in range(300)
    ]
    assert 0.04 < np.mean(few) < 0.16  # 0.1 within three standard errors, whatever the number of clusters


def test_a_planted_difference_is_found_in_its_cluster() -> None:
    def recording(seed: int, *clusters: int) -> list:  # type: ignore[type-arg]  # as `watch` returns it
        return [watched_of(seed, clusters, moments=4), watched_of(seed + 100, clusters[::-1], moments=4)]

    first = [recording(n, 1, 2, 1, 3) for n in range(5)]
    second = [recording(n, 1, 3, 4, 2) for n in range(5)]
    found = group_difference(first, second)
    assert (found.groupings, found.exact) == (252, True)
    assert {row.cluster for row in found.clusters if row.p < 0.05} == {1, 4}
    assert found.clusters[0].p == pytest.approx(2 / 252)
    assert {row.cluster: (row.first, row.second) for row in found.clusters}[1] == pytest.approx((0.5, 0.25))
    with pytest.raises(ValueError, match="expected two groups of recordings, got 5 and 0"):
        group_difference(first, [])


def test_many_recordings_are_permuted_by_chance_and_repeat() -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 24)
    shares[:12, 0] += 0.5
    one, again = share_difference((1, 2, 3), shares, 12, seed=1), share_difference((1, 2, 3), shares, 12, seed=1)
    assert one == again
    assert not one.exact
    assert one.clusters[0].cluster == 1
    assert one.clusters[0].p == pytest.approx(1e-4, abs=4e-4)


# --- seeds


@given(seed=seeds)
def test_a_linear_map_is_found_whatever_it_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn, shift = rng.normal(size=(4, 4)), rng.normal(size=4)
    one = [rng.normal(size=(60, 4)) for _ in range(3)]
    assert consistency(one, [x @ turn + shift for x in one]).r2 > 0.99
    nothing = consistency(one, [rng.normal(size=(60, 4)) for _ in range(3)])
    assert nothing.r2 < 0.1
    assert len(nothing.recordings) == 3


def test_moments_must_be_the_same() -> None:
    with pytest.raises(ValueError, match=r"at least two recordings, got \[5\] and \[5\]"):
        consistency([np.zeros((5, 2))], [np.zeros((5, 2))])


# --- failures


def test_the_least_sure_come_first_with_what_they_were_confused_with() -> None:
    margins = np.repeat([1.0, 0.2, 0.9, np.inf], 20)
    revisions = np.repeat([0, 0, 2, 1], 20)
    part = watched_of(
        0,
        (1, 2, 1, 2),
        actions=("walk", "run", "run", "run"),
        centres={1: (0.0, 0.0), 2: (3.0, 0.0), 7: (3.5, 0.0)},
        names={1: "walk", 7: "jump"},
        margins=margins,
        revisions=revisions,
    )
    rows = failures([part], most=2)
    assert [(row.why, row.piece.start) for row in rows] == [
        ("margin", 20),
        ("margin", 40),
        ("revisions", 40),
        ("revisions", 60),
    ]
    assert (rows[0].confused_with, rows[0].confused_name) == (7, "jump")
    assert (rows[1].confused_with, rows[1].cluster, rows[1].name) == (2, 1, "walk")
    assert (rows[1].action, rows[1].usual_action, rows[1].wrong) == ("run", "walk", True)
    assert (rows[0].start_s, rows[0].end_s, rows[0].wrong) == (2.0, 4.0, False)
    alone = failures([watched_of(0, (1,), centres={1: (0.0, 0.0)})])
    assert (alone[0].confused_with, alone[0].action, alone[0].wrong) == (0, None, None)


# --- pictures


def test_pictures_name_every_cluster_and_refuse_what_cannot_be_drawn() -> None:
    common = in_common([watched_of(0, (1, 2, 1, 3), names={1: "walk"}), watched_of(1, (2, 1))], 0.3)
    found, changes = portraits(common), transitions(common.watched)
    texts = {text.get_text() for text in transition_figure(changes, common.names).axes[0].texts}
    assert texts == {"1", "2", "3", "walk"}
    assert [label.get_text() for label in dendrogram_figure(found).axes[0].get_yticklabels()][-1].startswith(("1", "2"))
    bars = usage_figure(usage(common.watched[0], 2.0), common.names).axes[0]
    assert len(bars.containers) == 3
    figure = exemplar_figure(found, common.watched, (-1, 0, 1), 2)
    assert len(figure.axes) == 9
    assert figure.axes[0].get_ylabel().startswith("1 “walk”")
    with pytest.raises(ValueError, match="at least two clusters"):
        dendrogram_figure(found[:1])
    nowhere = in_common([watched_of(0, (1, 2), places=None)], 0.3)
    with pytest.raises(ValueError, match="a recording without"):
        exemplar_figure(portraits(nowhere), nowhere.watched, (-1, 0, 1), 2)
