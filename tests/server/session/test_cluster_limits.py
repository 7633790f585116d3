"""However varied the motion is, a stream keeps a bounded number of clusters, and each that it lists can be named."""

import json
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_session import RATE, STRIDE, feed, made_up_model

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import ClusterTableFull, Event, SegmentEnded
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.errors import ExhaustedError
from motionscribe_server.session.clustering import ClusterState, UnknownClusterError
from motionscribe_server.session.clustering.base import CAPACITY
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.session import Session

MODEL = made_up_model()
WARM = (1, 2)
NAMED = 56
"""As the documents say; one in eight of 64 places is never taken by a name."""
STRAY = 40
"""Segments of half a minute that are not learnt, at most: the shortest have 0.8 s."""


def place(k: int) -> np.ndarray:
    """Motion k is as far from all others as actions are, and from what the model knows."""
    return np.array([3.0 + 1.2 * (k % 40), 3.0 + 1.2 * (k // 40)])


class Stage:
    """A stream that goes on through sessions; `played` are the events of all."""

    def __init__(self, noise: float = 0.05) -> None:
        self.noise = noise
        self.stream: Driver = feed(MODEL)
        self.played: list[Event] = []
        self.seq, self.shown = 1, 0

    @property
    def session(self) -> Session:
        return self.stream.session

    def play(self, motions: list[int], moments: int = 12) -> list[Event]:
        """Shows motions one after the other; the events of it."""
        means = np.repeat([place(k) for k in motions], STRIDE * moments, axis=0)
        self.shown += 1
        frames = (means + np.random.default_rng(self.shown).normal(0, self.noise, means.shape)).astype(np.float32)
        times = even_times(self.seq - 1 + len(frames), RATE)[self.seq - 1 :]
        events = self.stream.send(FrameBlock(self.seq, frames, times))
        self.seq += len(frames)
        self.played += events
        return events

    def again(self) -> list[Event]:
        """Closes the session and opens the next one, as a server does."""
        events = self.stream.close()
        self.played += events
        self.stream = feed(MODEL, clusters=self.session.clusters(), next_cluster=self.session.next_cluster)
        self.seq = 1
        return events

    def own(self) -> list[ClusterState]:
        """What the stream itself has learnt."""
        return [state for state in self.session.clusters() if not state.warm and not state.merged_into]


def segments(events: list[Event]) -> list[int]:
    return [event.cluster for event in events if isinstance(event, SegmentEnded)]


def ids_in(session: Session) -> set[int]:
    """Every id that a session remembers."""
    state = session.state()["labelling"]
    labeller = state["labeller"]
    return {
        *(id for id, *_ in state["cluster_counts"]["counts"]),
        *(id for part in ("announced", "learnt", "young", "clusters") for id in labeller[part]),
        *state["clusterer"]["clusters"]["id"],
    }


lively = st.lists(
    st.tuples(st.lists(st.integers(0, 400), min_size=10, max_size=25), st.integers(4, 12)), min_size=5, max_size=8
)


@settings(deadline=None, max_examples=6)
@given(lively, st.sampled_from([0.05, 0.3, 0.6]), st.randoms(use_true_random=False))
def test_what_a_stream_keeps_is_bounded_and_can_be_named(
    scenes: list[tuple[list[int], int]], noise: float, random: Random
) -> None:
    stage = Stage(noise)
    for motions, moments in scenes:
        stage.play(motions, moments)
        own = stage.own()
        assert len(own) <= CAPACITY
        assert all(state.weight > 0 for state in own), "nothing is listed that has vanished"
        assert len(ids_in(stage.session)) <= len(WARM) + 2 * CAPACITY + STRAY
        copy = Session(MODEL)
        copy.restore(stage.session.state())
        for state in own[:: max(1, len(own) // 8)]:
            copy.rename(state.id, "named")
        if own and random.random() < 0.5:
            try:
                stage.session.rename(random.choice(own).id, "kept")
            except ExhaustedError:
                assert sum(bool(state.name) for state in own) >= NAMED
        if random.random() < 0.2:
            stage.again()
    stage.again()
    listed = {state.id for state in stage.session.clusters()}
    for id in set(segments(stage.played)) - listed - {0}:
        with pytest.raises(UnknownClusterError, match=f"got {id}, which is forgotten: it made room"):
            stage.session.rename(id, "gone")


def test_memory_does_not_grow_with_the_hours() -> None:
    """Six minutes of motion that never comes twice."""
    stage = Stage(noise=0.3)
    sizes = []
    for k in range(0, 400, 20):
        stage.play(list(range(k, k + 20)), 12 if k % 40 else 7)
        state = stage.session.state()["labelling"]
        kept = [state[part] for part in ("clusterer", "labeller", "cluster_counts", "finals", "provisionals")]
        sizes.append(len(json.dumps(kept, default=lambda array: array.tolist())))
    assert max(ids_in(stage.session)) > 200, "motion too dull to test anything"
    assert max(sizes[12:]) < 1.1 * max(sizes[6:12])


def test_a_full_table_is_told_and_the_least_used_makes_room() -> None:
    stage = Stage()
    stage.play(list(range(CAPACITY - 1)))
    stage.play([0])
    stage.again()
    assert len(stage.own()) == CAPACITY - 1
    assert not [event for event in stage.played if isinstance(event, ClusterTableFull)]
    (walk,) = {segments([*stage.play([3]), *stage.again()])[0]}
    stage.session.rename(walk, "walk")
    events = [*stage.play([100, 101, 102]), *stage.again()]
    full = [event for event in events if isinstance(event, ClusterTableFull)]
    assert [event.limit for event in full] == [CAPACITY] * 2
    listed = {state.id: state.name for state in stage.session.clusters()}
    assert listed[walk] == "walk"
    assert len(stage.own()) == CAPACITY
    for event in full:
        assert event.cluster not in listed
        with pytest.raises(UnknownClusterError, match=f"got {event.cluster}, which is forgotten: it made room"):
            stage.session.rename(event.cluster, "too late")
    assert set(segments(events)) <= listed.keys()


def named_stage(names: int) -> Stage:
    """A stream whose user has named so many clusters."""
    stage = Stage()
    stage.play(list(range(names)))
    stage.again()
    for n, state in enumerate(stage.own()):
        stage.session.rename(state.id, f"action {n}")
    return stage


def four_sessions(stage: Stage) -> Iterator[set[int]]:
    """The ids of the same two new motions in each."""
    for _ in range(4):
        events = [*stage.play([200, 201, 200, 201], 30), *stage.again()]
        yield set(segments(events))


def test_new_motion_has_one_id_in_all_sessions_where_many_are_named() -> None:
    stage = named_stage(NAMED - 2)
    first, *others = four_sessions(stage)
    assert len(first) == 2
    assert others == [first] * 3
    for id in first:
        stage.session.rename(id, "new action")


def test_one_name_too_many_is_refused_and_new_motion_still_has_one_id() -> None:
    stage = named_stage(NAMED)
    first, *others = four_sessions(stage)
    assert others == [first] * 3
    before = stage.session.clusters()
    one, other = sorted(first)
    with pytest.raises(ExhaustedError, match=f"at most {NAMED} clusters of this stream with names.* got {NAMED + 1}"):
        stage.session.rename(one, "one too many")
    some = next(state.id for state in before if state.name)
    with pytest.raises(ExhaustedError, match=f"got {NAMED + 1}"):
        stage.session.merge([other], some)
    assert stage.session.clusters() == before
    stage.session.merge([other], one)
    stage.session.rename(1, "the model's take no place")
    stage.session.rename(some, "")
    with pytest.raises(ExhaustedError, match=f"got {NAMED + 1}"):
        stage.session.rename(one, "two centres, one place")
    stage.session.rename(next(state.id for state in before if state.name and state.id != some), "")
    stage.session.rename(one, "now there is room")


def test_a_name_of_motion_that_was_seen_just_now_counts_too() -> None:
    stage = named_stage(NAMED)
    stage.play([300, 301])
    young = [state for state in stage.own() if not state.name]
    assert young
    before = stage.session.clusters()
    with pytest.raises(ExhaustedError, match=f"got {NAMED + 1}"):
        stage.session.rename(young[0].id, "one too many")
    assert stage.session.clusters() == before


def test_a_refused_name_leaves_no_trace() -> None:
    """Of a cluster that is shown and not learnt either: who goes on from a snapshot does not hear of refusals."""
    stage = named_stage(NAMED)
    stage.play([200, 201], 30)
    young = [state.id for state in stage.own() if not state.name]
    assert young

    def state() -> str:
        return json.dumps(stage.session.state(), default=lambda array: array.tolist())

    before = state()
    with pytest.raises(ExhaustedError):
        stage.session.rename(young[0], "one too many")
    with pytest.raises(UnknownClusterError):
        stage.session.merge([young[0], 10**6], 1)
    assert state() == before
