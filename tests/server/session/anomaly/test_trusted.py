"""What a user relies on: alarms of the shipped body model on a synthetic performer, at half a false alarm an hour.

The performer is thinned to 60 Hz and mapped to the canonical body; the options are those that nobody changed.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording
from motionscribe_models.repository import read_bundle
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_proto.events import Anomaly, Degraded, Event, Label
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.session.session import Session
from motionscribe_training.faults.inject import inject
from motionscribe_training.faults.kind import Kind

RATE_HZ = 60.0
ROUND = [("walk", 8.0), ("wave", 6.0), ("squat", 7.0), ("walk", 6.0), ("run", 6.0), ("idle", 5.0)]
"""38 s."""
FALLS = ("fall", "fall_backwards", "fall_sideways", "collapse")
Span = tuple[float, float]


@cache
def served() -> tuple[ServedModel, Inference]:
    bundle = read_bundle(Path(__file__).parents[4] / "models" / "body" / "1")
    return ServedModel(bundle), Inference(bundle)


@pytest.fixture(autouse=True)
def _alarms() -> None:
    if served()[0].anomaly is None:
        pytest.skip("models/body/1 has no anomaly.behaviours: it was trained before there were alarms of these kinds")


@cache
def performance(rounds: int, seed: int = 5) -> Recording:
    return mapped(perform(ROUND * rounds, seed=seed, rate_hz=RATE_HZ).recording)


def until(end_s: float, recording: Recording) -> Recording:
    """Its beginning: what comes later is of no use to a test of a fault."""
    count = round(end_s * RATE_HZ)
    return replace(recording, frames=recording.frames[:count], timestamps_us=recording.timestamps_us[:count])


def events_of(recording: Recording) -> list[Event]:
    model, engine = served()
    stream, events = Driver(Session(model, SessionOptions(rate_hz=RATE_HZ)), engine), list[Event]()
    for block in blocks_of(recording, 15):
        events += stream.send(block)
    return events + stream.close()


def with_fault(recording: Recording, kind: Kind, spans: Sequence[Span], joint: str | None = None) -> Recording:
    for start_s, end_s in spans:
        rows = round(start_s * RATE_HZ), min(round(end_s * RATE_HZ), len(recording.frames))
        recording = inject(recording, kind, *rows, np.random.default_rng(0), joint).recording
    return recording


def spans_of(events: Sequence[Event], *kinds: str) -> list[Span]:
    """Where anomalies of those kinds, or of any, began and were abnormal last, seconds; each has ended."""
    anomalies = [event for event in events if isinstance(event, Anomaly) and (not kinds or event.kind in kinds)]
    ended = [event for event in anomalies if not event.ongoing]
    begun = {event.anomaly for event in anomalies if event.phase == "begun"}
    assert begun == {event.anomaly for event in ended}, "all that begins ends"
    assert len(begun) == len(ended)
    return [(event.start_us / 1e6, event.end_us / 1e6) for event in ended]


def meets(spans: Sequence[Span], start_s: float, end_s: float) -> list[Span]:
    """Those that began in a time."""
    return [span for span in spans if start_s <= span[0] <= end_s]


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_a_performer_without_faults_gives_no_alarm_of_sensors_or_motion(seed: int) -> None:
    """From 3 s on: tests/training/fitting/test_anomaly_beginnings.py is about what comes before."""
    events = events_of(performance(2, seed))
    assert meets(spans_of(events, "sensor fault", "motion fault"), 3.0, np.inf) == []
    assert sum(isinstance(event, Label) and event.final for event in events) > 700


@pytest.mark.slow
@pytest.mark.parametrize("joint", ["left_hip", "left_shoulder"])
def test_limbs_that_are_swapped_for_two_minutes_keep_one_alarm_open(joint: str) -> None:
    """Nothing else of this kind is told of meanwhile: a detector that gets used to a fault is no detector."""
    start, end = 20.0, 140.0
    events = events_of(with_fault(performance(4), Kind.SWAP, [(start, end)], joint))
    spans = meets(spans_of(events, "motion fault"), start, end + 1)
    assert len(spans) == 1
    assert spans[0][0] < start + 5
    assert end - 3 < spans[0][1] < end + 4
    phases = [event.phase for event in events if isinstance(event, Anomaly) and event.kind == "motion fault"]
    assert phases == ["begun", "confirmed", "persisting", "ended"]


@pytest.mark.parametrize("start", [20.0, 35.0])
def test_a_frozen_feed_is_a_sensor_fault_at_once_and_while_it_lasts(start: float) -> None:
    events = events_of(with_fault(until(start + 20, performance(2)), Kind.FROZEN_FEED, [(start, start + 12)]))
    (span, *_) = meets(spans_of(events, "sensor fault"), start - 0.2, start + 12)
    assert span[0] < start + 1
    assert start + 11.5 < span[1] < start + 14


@pytest.mark.parametrize("joint", ["left_wrist", "right_ankle", "head"])
def test_a_joint_of_zeros_is_a_sensor_fault_and_is_named(joint: str) -> None:
    events = events_of(with_fault(until(43.0, performance(2)), Kind.ZEROS, [(25.0, 35.0)], joint))
    (span, *_) = meets(spans_of(events, "sensor fault"), 24.9, 35.0)
    assert span[0] < 25.3
    assert span[1] > 34.9
    confirmed = next(event for event in events if isinstance(event, Anomaly) and event.phase == "confirmed")
    assert confirmed.joints[0] == joint


@pytest.mark.parametrize("joint", ["left_wrist", "right_knee"])
def test_what_no_body_does_is_a_sensor_fault(joint: str) -> None:
    """A joint lies elsewhere from one frame to the next, at twice the acceleration that no body has."""
    recording = until(28.0, performance(1))
    frames, rows = recording.frames.copy(), slice(round(14 * RATE_HZ), round(20 * RATE_HZ))
    frames[rows, 3 * JOINTS.index(joint) + 1] += 2 * REPRESENTATIONS["body"].impossible / RATE_HZ**2
    spans = spans_of(events_of(replace(recording, frames=frames)), "sensor fault")
    assert meets(spans, 13.8, 14.2)


def test_a_joint_that_is_not_seen_is_no_alarm_and_no_end_of_the_stream() -> None:
    events = events_of(with_fault(until(40.0, performance(2)), Kind.DROPOUT, [(20.0, 30.0)], "left_wrist"))
    assert [event.joints for event in events if isinstance(event, Degraded)] == [("left_wrist",)] * 2
    assert spans_of(events, "sensor fault") == []
    finals = [event for event in events if isinstance(event, Label) and event.final]
    assert finals[-1].end_us > 39e6
    assert all(one.end_us == other.start_us for one, other in pairwise(finals))


@pytest.mark.parametrize(("kind", "joint"), [(Kind.ZEROS, "left_wrist"), (Kind.FROZEN_FEED, None)])
def test_a_fault_in_the_first_ten_seconds_is_found(kind: Kind, joint: str | None) -> None:
    events = events_of(with_fault(until(17.0, performance(1)), kind, [(4.0, 9.0)], joint))
    (span, *_) = meets(spans_of(events, "sensor fault"), 3.9, 9.0)
    assert span[0] < 5
    assert 8.5 < span[1] < 11


def test_a_swap_in_the_first_ten_seconds_is_found() -> None:
    events = events_of(with_fault(until(18.0, performance(1)), Kind.SWAP, [(3.0, 10.0)], "left_hip"))
    assert meets(spans_of(events, "motion fault", "sensor fault"), 2.9, 10.0)


@pytest.mark.parametrize(("kind", "joint"), [(Kind.SWAP, "left_hip"), (Kind.ZEROS, "head"), (Kind.FROZEN_FEED, None)])
def test_a_fault_at_the_end_is_found_and_ends_with_the_stream(kind: Kind, joint: str | None) -> None:
    walk = mapped(perform([("idle", 6.0), ("wave", 8.0), ("walk", 20.0)], seed=5, rate_hz=RATE_HZ).recording)
    events = events_of(with_fault(walk, kind, [(29.0, 34.0)], joint))
    spans = meets(spans_of(events), 28.9, 34.0)
    assert spans
    assert max(end for _, end in spans) > 33.5
    assert max(end for _, end in spans) <= 34.1


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "joint"), [(Kind.ZEROS, "left_wrist"), (Kind.SWAP, "left_hip")])
def test_faults_that_come_and_go_are_all_found(kind: Kind, joint: str) -> None:
    """Ten seconds of each, again and again: the last is found as the first is."""
    faults = [(start, start + 10.0) for start in np.arange(10.0, 140.0, 20.0).tolist()]
    spans = spans_of(events_of(with_fault(performance(4), kind, faults, joint)), "sensor fault", "motion fault")
    found = [bool(meets(spans, start - 0.2, end)) for start, end in faults]
    assert all(found), found
    assert all(end < start + 14 for start, end in spans), "each ends before the next begins"


@pytest.mark.parametrize("seed", [6, 7, 8])
@pytest.mark.parametrize("kind", FALLS)
def test_every_fall_gives_an_alarm(kind: str, seed: int) -> None:
    """Of some kind, from when the balance is lost on."""
    played = perform([*ROUND, (kind, 5.0)], seed=seed, rate_hz=RATE_HZ)
    lost = played.segments[-1].balance_lost_seq
    assert lost is not None
    assert meets(spans_of(events_of(mapped(played.recording))), (lost - 1) / RATE_HZ - 0.2, 43.0)
