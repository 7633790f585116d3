"""Real recordings through the shipped model and a session, as a server would put them through."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.made_up_session import check_story, finals

from motionscribe.demo.performer import perform
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import ClusterCreated, ClusterMerged, Event, Label, SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import Emitted, blocks_of, replay
from motionscribe_server.session.session import Session

TRIAL = "cmu_raw/86_01.amc"
Read = Callable[[str], Recording]


@dataclass(frozen=True)
class Server:
    model: ServedModel
    engine: Inference

    @property
    def warm(self) -> range:
        return range(1, len(self.model.centres) + 1)

    def replay(self, recording: Recording, session: Session | None = None, **options: Any) -> list[Emitted]:
        return replay(self.model, self.engine, recording, SessionOptions(**options), session)


@pytest.fixture(scope="module")
def server(tiny_model: Path) -> Server:
    bundle = read_bundle(tiny_model)
    return Server(ServedModel(bundle), Inference(bundle, batch_sizes=(1,)))


@pytest.fixture(scope="module")
def read(data_dir: Path) -> Read:
    """Reading takes longer than a replay."""
    return cache(lambda name: read_recording(data_dir / name))


@dataclass(frozen=True)
class Played:
    recording: Recording
    session: Session
    emitted: list[Emitted]

    @property
    def events(self) -> list[Event]:
        return [e.event for e in self.emitted]


@pytest.fixture(scope="module")
def trial(server: Server, read: Read) -> Played:
    """The whole of 86_01 with the preset "balanced"."""
    session = Session(server.model)
    return Played(read(TRIAL), session, server.replay(read(TRIAL), session))


def part(recording: Recording, frames: slice) -> Recording:
    return replace(recording, frames=recording.frames[frames], timestamps_us=recording.timestamps_us[frames])


def by_frame(events: list[Event], frames: int) -> np.ndarray:
    """Final cluster of each frame (n,)."""
    clusters = np.zeros(frames, int)
    for label in finals(events):
        clusters[label.start_seq - 1 : label.end_seq - 1] = label.cluster
    return clusters


def check_whole(events: list[Event], frames: int) -> None:
    labels, segments = finals(events), [e for e in events if isinstance(e, SegmentEnded)]
    for first, last in ((labels[0], labels[-1]), (segments[0], segments[-1])):
        assert (first.start_seq, last.end_seq) == (1, frames + 1)
    assert sum(s.end_seq - s.start_seq for s in segments) == frames


@pytest.mark.data
def test_a_trial_of_subject_86_gets_labels_and_segments_that_tile(trial: Played, server: Server) -> None:
    check_story(trial.events, server.warm)
    check_whole(trial.events, len(trial.recording.frames))
    # he walks, jumps, walks, punches, walks, kicks, punches: 38 s
    segments = [e for e in trial.events if isinstance(e, SegmentEnded)]
    assert 4 <= len(segments) <= 20
    assert 3 <= len({e.cluster for e in segments}) <= 12
    clusters = by_frame(trial.events, len(trial.recording.frames))
    walking, jumping = np.bincount(clusters[200:450]).argmax(), np.bincount(clusters[650:1050]).argmax()
    assert walking != jumping


@pytest.mark.data
def test_events_come_in_the_order_of_time(trial: Played) -> None:
    times = [e.time_us for e in trial.emitted]
    assert times == sorted(times)
    for time_us, event in ((e.time_us, e.event) for e in trial.emitted):
        if isinstance(event, Label):
            assert event.start_us <= time_us, "nothing is said of frames that did not come yet"


@pytest.mark.data
def test_stability_is_about_the_share_of_labels_that_stay(trial: Played) -> None:
    final = by_frame(trial.events, len(trial.recording.frames))
    told = [e for e in trial.events if isinstance(e, Label) and not e.final]
    chances = np.array([e.stability for e in told])
    stayed = np.array([(final[e.start_seq - 1 : e.end_seq - 1] == e.cluster).mean() for e in told])
    assert chances.mean() == pytest.approx(stayed.mean(), abs=0.15)
    assert chances[stayed > 0.5].mean() > chances[stayed < 0.5].mean()


@pytest.mark.data
def test_what_is_told_depends_on_the_past_alone_and_not_on_chance(trial: Played, server: Server) -> None:
    """A replay of the first half tells what a replay of the whole told by then."""
    half = part(trial.recording, slice(2000))
    last_us = int(half.timestamps_us[-1])
    again = server.replay(half)
    before = [e for e in trial.emitted if e.time_us <= last_us]
    assert again[: len(before)] == before
    assert len(before) > 100
    check_whole([e.event for e in again], 2000)


@pytest.mark.data
@pytest.mark.parametrize("size", [7, 512])
def test_the_size_of_blocks_changes_no_event(trial: Played, server: Server, size: int) -> None:
    half = part(trial.recording, slice(2000))
    stream, events = Driver(Session(server.model), server.engine), list[Event]()
    for block in blocks_of(half, size):
        events += stream.send(block)
    last_us = int(half.timestamps_us[-1])
    assert events == [e.event for e in trial.emitted if e.time_us <= last_us]


@pytest.mark.data
def test_a_quarter_of_the_frames_shows_the_same(trial: Played, server: Server) -> None:
    """Every fourth frame of 120 Hz is what the model sees of it anyway."""
    recording = part(trial.recording, slice(None, None, 4))
    events = [e.event for e in server.replay(recording, rate_hz=30.0)]
    check_story(events, server.warm)
    check_whole(events, len(recording.frames))
    assert [label.cluster for label in finals(events)] == [label.cluster for label in finals(trial.events)]


@pytest.mark.data
def test_uneven_times_show_nearly_the_same(trial: Played, server: Server) -> None:
    """A camera at about 60 Hz whose times jitter by a quarter of their period."""
    recording = part(trial.recording, slice(0, 2400, 2))
    jitter = np.random.default_rng(0).integers(-4000, 4000, len(recording.frames))
    recording = replace(recording, timestamps_us=recording.timestamps_us + jitter)
    events = [e.event for e in server.replay(recording, rate_hz=60.0)]
    check_story(events, server.warm)
    check_whole(events, len(recording.frames))
    expected = by_frame(server_events(server, part(trial.recording, slice(2400))), 2400)[::2]
    assert (by_frame(events, 1200) == expected).mean() > 0.7


def server_events(server: Server, recording: Recording) -> list[Event]:
    return [e.event for e in server.replay(recording)]


@pytest.mark.data
@pytest.mark.parametrize("name", ["13_29", "14_14"])
def test_other_people_get_labels_too(server: Server, read: Read, name: str) -> None:
    recording = read(f"mocap6/amc/{name}.amc")
    events = server_events(server, recording)
    check_story(events, server.warm)
    check_whole(events, len(recording.frames))
    assert 3 <= len({label.cluster for label in finals(events)}) <= 20


@pytest.mark.data
def test_the_same_motion_bears_the_same_ids_in_a_second_session(trial: Played, server: Server) -> None:
    stored, beyond = trial.session.clusters(), trial.session.next_cluster
    session = Session(server.model, None, stored, beyond)
    events = [e.event for e in server.replay(trial.recording, session)]
    check_story(events, [state.id for state in stored])
    frames = len(trial.recording.frames)
    target_of = {e.source: e.target for e in [*trial.events, *events] if isinstance(e, ClusterMerged)}
    first, second = by_frame(trial.events, frames), by_frame(events, frames)
    for source, target in target_of.items():
        first[first == source], second[second == source] = target, target
    assert (first == second).mean() > 0.7
    assert all(e.cluster >= beyond for e in events if isinstance(e, ClusterCreated))


@pytest.mark.data
@pytest.mark.parametrize("lag", ["fast", "stable"])
def test_a_preset_keeps_its_latency(server: Server, read: Read, lag: Any) -> None:
    recording = part(read(TRIAL), slice(1500))
    emitted = server.replay(recording, lag=lag)
    check_story([e.event for e in emitted], server.warm)
    latency_us = server.model.latency(lag) * server.model.moment_s * 1e6
    last_us = int(recording.timestamps_us[-1])
    waits = [e.time_us - e.event.end_us for e in emitted if isinstance(e.event, Label) and e.event.final]
    streamed = [w for w, e in zip(waits, finals_of(emitted), strict=True) if e.time_us < last_us]
    assert len(streamed) > 50
    assert max(streamed) <= latency_us + server.model.moment_s * 1e6
    assert min(streamed) > latency_us - server.model.moment_s * 1e6, "no label is final before its time"


def finals_of(emitted: list[Emitted]) -> list[Emitted]:
    return [e for e in emitted if isinstance(e.event, Label) and e.event.final]


@pytest.mark.parametrize("frames", [1, 8, 9, 100])
def test_a_recording_may_be_as_short_as_it_likes(server: Server, frames: int) -> None:
    recording = part(perform([("walk", 1.0)], seed=1).recording, slice(frames))
    events = server_events(server, recording)
    check_story(events, server.warm)
    check_whole(events, frames)


def test_blocks_are_the_recording() -> None:
    recording = part(perform([("idle", 1.0)]).recording, slice(100))
    blocks = list(blocks_of(recording, 32))
    assert [(b.first_seq, len(b)) for b in blocks] == [(1, 32), (33, 32), (65, 32), (97, 4)]
    assert (np.concatenate([b.values for b in blocks]) == recording.frames).all()
    assert (np.concatenate([b.timestamps_us for b in blocks]) == recording.timestamps_us).all()
