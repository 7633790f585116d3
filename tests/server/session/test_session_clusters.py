"""Clusters of a session: what it lists, counts, names and merges, and that ids stay what they are."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_session import (
    PLACES,
    STRIDE,
    check_story,
    feed,
    finals,
    made_up_model,
    motion,
)
from tests.support.session_stories import MODEL, SCRIPT, WARM, options_of, runs_of, send_all, stories

from motionscribe_proto.events import (
    ClusterCreated,
    ClusterMerged,
    ClusterNamed,
    ClusterSplit,
    Event,
    Label,
    SegmentEnded,
    SegmentStarted,
)
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.clustering import ClusterError, ClusterState, OnlineClusterer, UnknownClusterError
from motionscribe_server.session.clustering.base import FAINT
from motionscribe_server.session.options import SessionOptions


def test_ids_are_never_reused() -> None:
    """Motion that comes once and never again, in session after session: each has an id of its own."""
    seen: list[int] = []
    stored: tuple[ClusterState, ...] = ()
    beyond = 1
    for day in range(4):
        stream = feed(made_up_model(()), clusters=stored, next_cluster=beyond)
        places = np.repeat([[40.0 * day + 4 * k, 7.0] for k in range(5)], 20 * STRIDE, axis=0)
        events = send_all(stream, places.astype(np.float32)) + stream.close()
        seen += [e.cluster for e in events if isinstance(e, ClusterCreated)]
        beyond = stream.session.next_cluster
        # each day all is forgotten but the last cluster
        stored = tuple(stream.session.clusters()[-1:])
    assert seen == list(range(1, 21))
    assert beyond == 21


def test_clusters_lists_what_a_stream_has_shown_at_once() -> None:
    stream = feed(MODEL)
    events = send_all(stream, motion([(0, 25), (2, 25)]))
    assert [e.cluster for e in events if isinstance(e, ClusterCreated)] == [3]
    states = stream.session.clusters()
    assert [state.id for state in states] == [1, 2, 3]
    young = states[-1]
    np.testing.assert_allclose(young.centre, PLACES[2], atol=0.1)
    assert young.weight == pytest.approx(2.5)  # what is not final counts too
    assert (young.warm, young.name, young.merged_into) == (False, "", 0)


def ended_segments(events: Sequence[Event]) -> list[tuple[int, float]]:
    """Cluster and seconds of each final segment, what was merged as its target."""
    target_of = {e.source: e.target for e in events if isinstance(e, ClusterMerged)}
    segments: list[tuple[int, float]] = []
    for e in events:
        if isinstance(e, SegmentEnded):
            id = e.cluster
            while id in target_of:
                id = target_of[id]
            segments.append((id, (e.end_us - e.start_us) / 1e6))
    return segments


@settings(deadline=None, max_examples=30)
@given(stories(), options_of)
def test_clusters_count_the_final_segments(story: tuple[np.ndarray, np.ndarray], options: SessionOptions) -> None:
    frames, times = story
    stream = feed(MODEL, options)
    learnt: dict[int, float] = defaultdict(float)  # most at once
    learn = OnlineClusterer.learn

    def remember(clusterer: OnlineClusterer, x: np.ndarray, weight: float, id: int, time_us: int = 0) -> int:
        learnt[id] = max(learnt[id], weight)
        return learn(clusterer, x, weight, id, time_us)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnlineClusterer, "learn", remember)
        events = stream.send(FrameBlock(1, frames, times)) + stream.close()
    ended = ended_segments(events)
    states = {state.id: state for state in stream.session.clusters()}
    # shown for a while, but by the time that its motion was learnt it was seen otherwise
    lost = [learnt[id] for id, _ in ended if id and id not in states]
    assert all(seconds < 1.1 * FAINT for seconds in lost), "only what is too short to remember may be forgotten"
    for id, state in states.items():
        # one that was merged keeps what a split would give back to it
        own = [(e.cluster, (e.end_us - e.start_us) / 1e6) for e in events if isinstance(e, SegmentEnded)]
        shown = [seconds for cluster, seconds in (own if state.merged_into else ended) if cluster == id]
        assert state.segments == len(shown)
        assert state.seconds == pytest.approx(sum(shown))


def test_a_name_is_told_from_then_on() -> None:
    stream = feed(MODEL)
    events = send_all(stream, motion([(0, 25), (2, 25)]))
    assert stream.session.rename(1, "walk") == [ClusterNamed(1, "walk", 5_000_000)]
    # young: seen by the user, not learnt yet
    assert stream.session.rename(3, "wave") == [ClusterNamed(3, "wave", 5_000_000)]
    assert stream.session.rename(3, "wave") == [], "nothing has changed"
    assert {s.id: s.name for s in stream.session.clusters()} == {1: "walk", 2: "", 3: "wave"}
    assert len(stream.session.clusters()) == 3
    events = send_all(stream, motion([(0, 25), (2, 25)]), 151, 5_000_000) + stream.close()
    names = [(e.cluster, e.name) for e in events if isinstance(e, SegmentStarted | SegmentEnded)]
    assert names == [(3, "wave"), (1, "walk"), (1, "walk"), (3, "wave"), (3, "wave")]


def test_a_name_can_be_taken_back_and_a_stranger_has_none() -> None:
    stream = feed(MODEL)
    send_all(stream, motion([(0, 25)]))
    stream.session.rename(2, "run")
    assert stream.session.rename(2, "") == [ClusterNamed(2, "", 2_500_000)]
    assert stream.session.clusters()[1].name == ""
    with pytest.raises(UnknownClusterError, match=r"expected one of clusters \[1, 2\], got 9"):
        stream.session.rename(9, "x")


def test_a_name_that_comes_while_no_moment_is_known_waits_for_the_next_one() -> None:
    """Before the first frame, and after a gap: what it is from now on has no time yet."""
    stream = feed(MODEL)
    assert stream.session.rename(2, "run") == []
    assert stream.session.rename(2, "sprint") == []
    events = send_all(stream, motion([(0, 25)]))
    assert events[0] == ClusterNamed(2, "sprint", 100_000)
    send_all(stream, motion([(0, 1)])[:1], 76, 60_000_000)
    assert stream.session.rename(1, "walk") == []
    events += send_all(stream, motion([(0, 25)]), 77, 60_100_000) + stream.close()
    named = [(e.cluster, e.name, e.time_us > 60_000_000) for e in events if isinstance(e, ClusterNamed)]
    assert named == [(2, "sprint", False), (1, "walk", True)]
    assert stream.session.rename(1, "stroll") == []


@pytest.mark.parametrize(("sources", "target"), [([1], 3), ([3], 1), ([2], 1), ([1, 2], 3), ([2, 3], 1)])
def test_after_a_merge_labels_bear_the_target(sources: list[int], target: int) -> None:
    script = [(0, 20), (1, 20), (2, 20)]
    stream = feed(MODEL)
    events = send_all(stream, motion(script))
    merged = stream.session.merge(sources, target)
    assert merged == [ClusterMerged(source, target, 6_000_000) for source in sources]
    again = send_all(stream, motion(script, seed=1), 181, 6_000_000)
    closing = again + stream.close()
    check_story(events + merged + closing, WARM)
    ids = [target if id in sources else id for id in (1, 2, 3)]
    expected = [cluster for cluster, _ in itertools.groupby([ids[2], *ids])]
    shown = [cluster for cluster, _ in itertools.groupby(label.cluster for label in finals(closing))]
    assert shown == expected
    provisional = {label.cluster for label in closing if isinstance(label, Label) and not label.final}
    assert provisional.isdisjoint(sources)
    assert {s.id: s.merged_into for s in stream.session.clusters()} == {
        id: target if id in sources else 0 for id in (1, 2, 3)
    }


def test_after_a_split_labels_bear_the_source_again() -> None:
    script = [(0, 20), (1, 20), (2, 20)]
    stream = feed(MODEL)
    events = send_all(stream, motion(script))
    stream.session.rename(1, "sit")
    before = {s.id: (s.name, s.segments, s.seconds, s.merged_into) for s in stream.session.clusters()}
    events += stream.session.merge([1], 2)
    assert stream.session.split(1) == [ClusterSplit(1, 2, 6_000_000)]
    events.append(ClusterSplit(1, 2, 6_000_000))
    after = {s.id: (s.name, s.segments, s.seconds, s.merged_into) for s in stream.session.clusters()}
    assert after == before
    again = send_all(stream, motion(script, seed=1), 181, 6_000_000) + stream.close()
    check_story(events + again, WARM)
    assert [cluster for cluster, _, _ in runs_of(again)][-3:] == [1, 2, 3]
    assert {e.name for e in again if isinstance(e, SegmentEnded) and e.cluster == 1} == {"sit"}


def test_a_chain_of_merges_is_undone_without_a_loss() -> None:
    stream = feed(MODEL)
    send_all(stream, motion([(0, 20), (1, 20), (2, 20)]))
    before = {s.id: s.seconds for s in stream.session.clusters()}
    segments = [s.segments for s in stream.session.clusters()]
    stream.session.merge([1], 2)
    stream.session.merge([2], 3)
    whole = next(s for s in stream.session.clusters() if s.id == 3)
    assert whole.segments == sum(segments)
    assert whole.seconds == pytest.approx(sum(before.values()))
    stream.session.split(2)
    standing = {s.id: s.seconds for s in stream.session.clusters() if not s.merged_into}
    assert standing == pytest.approx({2: before[2], 3: before[1] + before[3]})
    stream.session.split(1)
    assert {s.id: s.seconds for s in stream.session.clusters()} == pytest.approx(before)
    assert [s.segments for s in stream.session.clusters()] == segments


def test_only_what_was_merged_can_be_split() -> None:
    stream = feed(MODEL)
    send_all(stream, motion([(0, 20), (1, 20)]))
    with pytest.raises(ClusterError, match="expected a cluster that is part of another, got 1"):
        stream.session.split(1)
    with pytest.raises(UnknownClusterError, match="got 77"):
        stream.session.split(77)
    stream.session.merge([1], 2)
    stream.session.split(1)
    with pytest.raises(ClusterError, match="expected a cluster that is part of another, got 1"):
        stream.session.split(1)


@settings(deadline=None, max_examples=40)
@given(stories(), options_of, st.lists(st.tuples(st.integers(0, 600), st.randoms(use_true_random=False)), max_size=6))
def test_a_user_may_name_merge_and_split_at_any_time(
    story: tuple[np.ndarray, np.ndarray], options: SessionOptions, acts: list[tuple[int, Any]]
) -> None:
    frames, times = story
    stream, events = feed(MODEL, options), list[Event]()
    gone, names = set[int](), dict[int, str]()
    acting = {cut % len(frames): random for cut, random in acts}
    for a, b in itertools.pairwise(sorted({0, len(frames), *acting})):
        alive = [s.id for s in stream.session.clusters() if not s.merged_into and s.weight > 0]
        if a in acting and len(alive) > 1:
            source, target = acting[a].sample(alive, 2)
            events += stream.session.merge([source], target)
            stream.session.rename(target, f"named at {a}")
            if acting[a].random() < 0.3:
                events += stream.session.split(source)
            else:
                gone.add(source)
                names.pop(source, None)
            names[target] = f"named at {a}"
        events += stream.send(FrameBlock(a + 1, frames[a:b], times[a:b]))
        assert names.items() <= {s.id: s.name for s in stream.session.clusters()}.items()
    events += stream.close()
    check_story(events, WARM, options.provisional)
    assert gone <= {e.source for e in events if isinstance(e, ClusterMerged)}


def test_merges_of_strangers_and_of_a_cluster_with_itself_are_refused() -> None:
    stream = feed(MODEL)
    send_all(stream, motion([(0, 20)]))
    before = stream.session.clusters()
    with pytest.raises(UnknownClusterError, match="got 77"):
        stream.session.merge([1], 77)
    with pytest.raises(ClusterError, match="expected clusters that differ"):
        stream.session.merge([1], 1)
    assert stream.session.clusters() == before


def test_motion_of_an_earlier_session_bears_its_ids_again() -> None:
    frames = motion(SCRIPT)
    first = feed(MODEL)
    one = send_all(first, frames) + first.close()
    first.session.rename(4, "jump")
    kept, beyond = first.session.clusters(), first.session.next_cluster
    second = feed(MODEL, clusters=kept, next_cluster=beyond)
    other = send_all(second, motion(SCRIPT[::-1], seed=8)) + second.close()
    check_story(other, [state.id for state in kept])
    assert not any(isinstance(e, ClusterCreated) for e in other)
    assert [c for c, _, _ in runs_of(other)] == [c for c, _, _ in runs_of(one)][::-1]
    assert {e.name for e in other if isinstance(e, SegmentEnded) and e.cluster == 4} == {"jump"}
