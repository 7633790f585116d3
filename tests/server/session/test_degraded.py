"""Degraded events of a whole session of bodies: live, through snapshots, gaps and the end of a stream."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.lost_joints import LEFT_ARM, PLAY, check_told, told, without
from tests.support.made_up_session import check_story, feed, made_up_model

from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.mapping import mapped
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import Degraded, Event, Gap, Label, Restarted
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import stability
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import load, save
from motionscribe_server.session.stability import UNSEEN

MODEL = made_up_model(skeleton=BODY)
WARM = (1, 2)
OPTIONS = SessionOptions(rate_hz=PLAY.skeleton.rate_hz)
NO_ARM = without(PLAY, {joint: [(4.0, 7.0)] for joint in LEFT_ARM})


def play(recording: Recording, size: int = 37) -> list[Event]:
    stream, events = feed(MODEL, OPTIONS), list[Event]()
    for block in blocks_of(recording, size):
        events += stream.send(block)
    return events + stream.close()


@pytest.mark.parametrize("size", [1, 7, 500])
def test_a_limb_that_is_lost_for_three_seconds_is_one_event(size: int) -> None:
    start, end = 4 * 30, 7 * 30
    events = play(NO_ARM, size)
    began, ended = told(events)
    times = NO_ARM.timestamps_us
    spoken = start + 15  # half a second later
    assert began == Degraded(1, True, start + 1, spoken + 2, int(times[start]), int(times[spoken]), LEFT_ARM)
    assert ended == replace(began, ongoing=False, end_seq=end + 1, end_us=int(times[end]))
    check_story(events, WARM)
    labels = [e for e in events[: events.index(began)] if isinstance(e, Label)]
    assert labels[-1].end_us == pytest.approx(began.end_us, abs=110_000), "it is told when it is known"


def test_provisional_labels_are_less_stable_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    events = play(NO_ARM)
    monkeypatch.setattr(stability, "UNSEEN", 0.0)
    differences = {False: set[float](), True: set[float]()}
    unseen = False
    for event, careless in zip(events, play(NO_ARM), strict=True):
        if isinstance(event, Degraded):
            unseen = event.ongoing
        if isinstance(event, Label) and isinstance(careless, Label) and not event.final:
            differences[unseen].add(round(logit(event.stability) - logit(careless.stability), 3))
            event = replace(event, stability=careless.stability)
        assert event == careless
    assert differences == {False: {0.0}, True: {round(UNSEEN * float(np.log(3)), 3)}}


def logit(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


def test_what_flickers_or_is_always_seen_is_not_told() -> None:
    flickers = [(k / 30, (k + 10) / 30) for k in range(0, 400, 11)]
    assert told(play(without(PLAY, dict.fromkeys(LEFT_ARM, flickers)))) == []
    assert told(play(PLAY)) == []


def test_a_joint_that_the_source_does_not_have_is_told_once() -> None:
    began, ended = told(play(without(PLAY, {"head": [(0.0, 14.0)]})))
    assert (began.start_seq, began.joints) == (1, ("head",))
    assert ended.end_seq == len(PLAY.frames) + 1, "the stream ended"


def test_a_gap_ends_it_before_it_is_told() -> None:
    times = NO_ARM.timestamps_us.copy()
    times[150:] += 2_000_000  # while the arm is out of sight
    events = play(replace(NO_ARM, timestamps_us=times))
    first, second = check_told(events)
    gap = next(event for event in events if isinstance(event, Gap))
    assert (first.end_seq, first.end_us) == (gap.start_seq, gap.start_us)
    assert (second.start_seq, second.start_us) == (151, int(times[150]))
    kinds = [type(event) for event in events if isinstance(event, Degraded | Gap | Restarted)]
    assert kinds == [Degraded, Degraded, Gap, Restarted, Degraded, Degraded]


def test_nobody_in_sight_is_a_gap_and_no_lost_joint() -> None:
    gone = without(PLAY, {joint: [(4.0, 7.0)] for joint in SEEN})
    places = gone.frames[:, :-1].reshape(len(gone.frames), -1, 3)
    places[120:210, :2] = np.nan  # those that follow from others
    events = play(gone)
    assert told(events) == []
    assert [e.start_seq for e in events if isinstance(e, Gap)] == [121]


LOST = st.dictionaries(
    st.sampled_from(SEEN),
    st.lists(st.tuples(st.floats(0, 13), st.floats(0.1, 4)).map(lambda s: (s[0], min(14.0, s[0] + s[1]))), max_size=3),
    max_size=5,
)


@settings(max_examples=12)
@given(LOST, st.sets(st.integers(1, 419), max_size=4), st.integers(0, 400), st.integers(0, 2_000_000))
def test_it_goes_on_from_a_snapshot_as_if_nothing_had_happened(
    lost: dict[str, list[tuple[float, float]]], cuts: set[int], at: int, pause_us: int
) -> None:
    recording = without(PLAY, lost)
    times = recording.timestamps_us.copy()
    times[at:] += pause_us
    calm, moved = feed(MODEL, OPTIONS), feed(MODEL, OPTIONS)
    expected, events = list[Event](), list[Event]()
    for start, end in pairwise([0, *sorted(cuts), len(times)]):
        block = FrameBlock(start + 1, recording.frames[start:end], times[start:end])
        expected += calm.send(block)
        moved.session.receive_frames(block)  # and nothing is computed yet
        moved = restored(moved)
        for step in moved.session.take_steps():
            (states,) = moved.engine.advance([moved.encoder_states], [[step]])
            events += moved.session.receive_states([step], states)
        moved = restored(moved)
        assert save(moved.session, moved.encoder_states) == save(calm.session, calm.encoder_states)
    events += moved.close()
    assert events == expected + calm.close()
    check_told(events)
    check_story(events, WARM)


def restored(stream: Driver) -> Driver:
    session, encoder_states = load(save(stream.session, stream.encoder_states), MODEL)
    return Driver(session, stream.engine, encoder_states)


@pytest.mark.data
def test_the_shipped_model_tells_of_a_lost_leg_in_real_motion(data_dir: Path) -> None:
    bundle = read_bundle(Path(__file__).parents[3] / "models" / "body" / "1")
    whole = mapped(read_recording(data_dir / "sub86" / "01.mat"))
    leg = ("right_knee", "right_ankle")
    recording = without(whole, {joint: [(10.0, 13.0)] for joint in leg})
    stream, events = Driver(Session(ServedModel(bundle)), Inference(bundle)), list[Event]()
    for block in blocks_of(recording, 120):
        events += stream.send(block)
    (ended,) = check_told(events + stream.close())
    assert (ended.joints, ended.start_seq, ended.end_seq) == (leg, 1201, 1561)
    assert (ended.start_us, ended.end_us) == (10_000_000, 13_000_000)
