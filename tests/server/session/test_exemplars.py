"""What clusters look like: which clips are kept, and that they come of the motion that was labelled."""

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.support.session_stories import MODEL

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.mapping import mapped
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.clustering import ClusterState, Exemplar
from motionscribe_server.session.exemplars import NEAREST, VALUES, Exemplars, clip_rate
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.session.session import Session

BODY = Path(__file__).parents[3] / "models" / "body" / "1"


@cache
def body() -> tuple[ServedModel, Inference]:
    bundle = read_bundle(BODY)
    return ServedModel(bundle), Inference(bundle, batch_sizes=(1,))


def performed(session: Session) -> list[SegmentEnded]:
    """The segments of somebody who walks and squats."""
    model, engine = body()
    recording = mapped(perform([("walk", 6.0), ("squat", 6.0), ("walk", 6.0)], rate_hz=60, seed=2).recording)
    emitted = replay(model, engine, recording, session.options, session)
    return [one.event for one in emitted if isinstance(one.event, SegmentEnded)]


def show(exemplars: Exemplars, frames: int, value: float = 0.0) -> None:
    """Final moments of three frames each."""
    for _ in range(frames // 3):
        exemplars.add_final(np.full((3, body()[0].manifest.features), value, np.float32))


def kept(count: int, stored: tuple[ClusterState, ...] = ()) -> Exemplars:
    model, _ = body()
    exemplars = Exemplars(model.feature_map, 30.0, stored, kept=True)
    for n in range(count):
        show(exemplars, 60, 0.01 * n)
        exemplars.end_segment(1, n, float(count - n))
    return exemplars


def test_segments_that_ended_leave_clips_of_their_motion() -> None:
    session = Session(body()[0])
    ended = performed(session)
    shown = {state.id: state.exemplars for state in session.clusters() if state.exemplars}
    assert set(shown) <= {event.cluster for event in ended}
    longest = max(ended, key=lambda event: event.end_us - event.start_us)
    (clip, *_) = shown[longest.cluster]
    assert clip.start_us in {event.start_us for event in ended}
    frames = np.frombuffer(clip.values, VALUES).reshape(-1, 3 * len(JOINTS) + 1).astype(float)
    assert len(frames) == 16
    heights = frames[:, 3 * JOINTS.index("head") + 1]
    assert 0.5 < heights.min() < heights.max() < 2.2
    assert all(math.isfinite(one.distance) for clips in shown.values() for one in clips)


def test_clips_outlive_the_session_and_change_no_label() -> None:
    first = Session(body()[0])
    performed(first)
    clusters = first.clusters()
    again = Session(body()[0], clusters=clusters, next_cluster=first.next_cluster)
    assert [state.exemplars for state in again.clusters()] == [state.exemplars for state in clusters]
    without = Session(body()[0], SessionOptions(exemplars=False), clusters, first.next_cluster)
    assert performed(again) == performed(without)
    assert not any(state.exemplars for state in without.clusters())


@given(st.lists(st.floats(0, 5), max_size=12))
def test_the_nearest_are_kept_and_the_newest(distances: list[float]) -> None:
    model, _ = body()
    exemplars = Exemplars(model.feature_map, 30.0, (), kept=True)
    told: list[tuple[float, int]] = []
    for start_us, distance in enumerate(distances):
        show(exemplars, 48)
        exemplars.end_segment(4, start_us, distance)
        told.append((distance, start_us))
        found = [(clip.distance, clip.start_us) for clip in exemplars.of(4)]
        assert [one for one, _ in found[:NEAREST]] == sorted(one for one, _ in told)[:NEAREST]
        assert told[-1] in found
        assert len(found) <= NEAREST + 1
    assert exemplars.of(5) == ()


def test_what_is_too_short_to_see_anything_leaves_none() -> None:
    model, _ = body()
    exemplars = Exemplars(model.feature_map, 30.0, (), kept=True)
    show(exemplars, 21)
    exemplars.end_segment(1, 0, 0.1)
    assert exemplars.of(1) == ()


def test_others_are_forgotten() -> None:
    exemplars = kept(1)
    exemplars.keep({2})
    assert exemplars.of(1) == ()


def test_a_snapshot_has_them_to_the_bit() -> None:
    exemplars, other = kept(5), kept(0)
    other.restore(exemplars.state())
    assert other.of(1) == exemplars.of(1) != ()
    other.restore(kept(0).state())
    assert other.of(1) == ()
    exemplars.forget()
    show(exemplars, 60)
    exemplars.end_segment(1, 0, 0.0)
    assert exemplars.of(1) == ()


def test_a_model_that_does_not_know_where_joints_are_has_none() -> None:
    exemplars = Exemplars(MODEL.feature_map, 30.0, (), kept=True)
    exemplars.add_final(np.zeros((60, MODEL.manifest.features), np.float32))
    exemplars.end_segment(1, 0, 0.0)
    assert exemplars.of(1) == ()


def test_the_shipped_model_shows_each_of_its_clusters_and_knows_a_walk() -> None:
    model, _ = body()
    assert len(model.exemplars) == len(model.centres)
    assert set(map(len, model.exemplars)) == {16 * (3 * len(JOINTS) + 1) * VALUES.itemsize}
    assert "walk" in model.names.values()
    names = {state.id: (state.name, state.guessed) for state in Session(model).clusters() if state.name}
    assert names == {id: (name, True) for id, name in model.names.items()}


def test_equal_clusters_may_look_different() -> None:
    plain = ClusterState(1, "", 0, False, np.zeros(2), 1.0, 0, 0, 1, 1.0)
    assert replace(plain, exemplars=(Exemplar(0, 0.0, b"12"),)) == plain


def test_clips_have_at_most_ten_frames_a_second() -> None:
    assert [clip_rate(rate) for rate in (30.0, 25.0, 120.0, 5.0)] == [10.0, 12.5, 10.0, 5.0]
