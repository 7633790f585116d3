"""Clusters of bodies that plainly walk are called so, until somebody calls them otherwise."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.support.made_up_session import PLACES, feed, made_up_model, motion

from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import ClusterNamed, Event, SegmentEnded, SegmentStarted
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.clustering import ClusterState, DPMeans
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import load, save

BODY = Path(__file__).parents[3] / "models" / "body" / "1"


@cache
def served() -> tuple[ServedModel, Inference]:
    bundle = read_bundle(BODY)
    return ServedModel(bundle), Inference(bundle)


@cache
def walks() -> Recording:
    """A walk, a squat, a walk, at 30 Hz."""
    recording = mapped(perform([("walk", 12.0), ("squat", 10.0), ("walk", 8.0)], seed=1).recording)
    frames = recording.frames[::4]
    return Recording("walks", frames, even_times(len(frames), 30.0), recording.skeleton)


def stream(clusters: tuple[ClusterState, ...] = ()) -> Driver:
    model, inference = served()
    return Driver(Session(model, clusters=clusters), inference)


def send(driver: Driver, start: int, end: int) -> list[Event]:
    recording = walks()
    end = min(end, len(recording.frames))
    return driver.send(FrameBlock(start + 1, recording.frames[start:end], recording.timestamps_us[start:end]))


def named(clusters: list[ClusterState]) -> dict[str, list[ClusterState]]:
    found: dict[str, list[ClusterState]] = {}
    for state in clusters:
        if state.seconds:
            found.setdefault(state.name, []).append(state)
    return found


@cache
def whole() -> tuple[tuple[Event, ...], tuple[ClusterState, ...]]:
    driver = stream()
    events = [*send(driver, 0, 10_000), *driver.close()]
    return tuple(events), tuple(driver.session.clusters())


def test_a_walk_is_called_one_and_a_squat_is_not() -> None:
    events, clusters = whole()
    walk = named(list(clusters))["walk"]
    assert all(state.guessed for state in walk)
    assert sum(state.seconds for state in walk) > 14
    segments = [event for event in events if isinstance(event, SegmentStarted | SegmentEnded)]
    assert {event.guessed for event in segments if event.name == "walk"} == {True}
    last = segments[-1]
    assert isinstance(last, SegmentEnded)
    assert last.name == "walk"
    squat = [event for event in segments if event.start_us < 16e6 and isinstance(event, SegmentEnded)]
    assert any(event.name == "" and event.end_us > 16e6 for event in squat)
    assert not any(event.guessed for event in segments if not event.name)


def test_what_a_user_calls_it_stays() -> None:
    driver = stream()
    send(driver, 0, 300)
    walk = named(driver.session.clusters())["walk"][0]
    driver.session.rename(walk.id, "stroll")
    (told,) = driver.session.rename(walk.id, "")
    assert isinstance(told, ClusterNamed)
    assert (told.name, told.guessed) == ("walk", True)
    driver.session.rename(walk.id, "stroll")
    events = [*send(driver, 300, 10_000), *driver.close()]
    mine = next(state for state in driver.session.clusters() if state.id == walk.id)
    assert (mine.name, mine.guessed) == ("stroll", False)
    ended = [event for event in events if isinstance(event, SegmentEnded) and event.cluster == walk.id]
    assert {(event.name, event.guessed) for event in ended} == {("stroll", False)}
    driver.session.rename(walk.id, "")
    taken = next(state for state in driver.session.clusters() if state.id == walk.id)
    assert (taken.name, taken.guessed) == ("walk", True)


@pytest.mark.parametrize("cut", [100, 250, 500])
def test_a_session_goes_on_from_a_snapshot_with_the_same_names(cut: int) -> None:
    driver = stream()
    events = send(driver, 0, cut)
    session, encoder_states = load(save(driver.session, driver.encoder_states), driver.session.model)
    moved = Driver(session, served()[1], encoder_states)
    events += [*send(moved, cut, 10_000), *moved.close()]
    assert tuple(events) == whole()[0]
    assert tuple(moved.session.clusters()) == whole()[1]


def test_the_next_session_of_a_stream_knows_the_name_at_once_and_does_not_take_it_for_a_users() -> None:
    stored = whole()[1]
    driver = stream(stored)
    assert named(driver.session.clusters()).keys() == named(list(stored)).keys()
    walk = named(list(stored))["walk"][0]
    driver.session.rename(walk.id, "")
    assert next(state for state in driver.session.clusters() if state.id == walk.id).guessed


def test_a_guessed_name_goes_with_a_merge() -> None:
    guessed = ClusterState(1, "walk", 0, False, np.zeros(2), 5.0, 0, 0, 1, 5.0, guessed=True)
    given = ClusterState(2, "stroll", 0, False, np.ones(2), 5.0, 0, 0, 1, 5.0)
    clusterer = DPMeans(2, [guessed, given])
    clusterer.merge([1], 2)
    assert [(state.name, state.guessed) for state in clusterer.clusters()] == [("", False), ("stroll", False)]


def test_a_guessed_name_keeps_no_cluster_and_a_users_takes_its_place() -> None:
    """As where a stream that is not live is edited in the store."""
    guessed = ClusterState(1, "walk", 0, False, np.zeros(2), 5.0, 0, 0, 1, 5.0, guessed=True)
    given = ClusterState(2, "walk", 0, False, np.ones(2), 5.0, 0, 0, 1, 5.0)
    clusterer = DPMeans(2, [guessed, given])
    clusterer.decay(20_000.0)
    assert [state.id for state in clusterer.clusters()] == [2]
    clusterer = DPMeans(2, [guessed, given])
    clusterer.rename(1, "stroll")
    first, _ = clusterer.clusters()
    assert (first.name, first.guessed) == ("stroll", False)
    clusterer.decay(20_000.0)
    assert [state.id for state in clusterer.clusters()] == [1, 2]


def test_other_models_give_no_names() -> None:
    driver = feed(made_up_model(PLACES[:2]))
    frames = motion([(0, 60), (1, 60)])
    driver.send(FrameBlock(1, frames, even_times(len(frames), 30.0)))
    driver.close()
    assert {(state.name, state.guessed) for state in driver.session.clusters()} == {("", False)}
