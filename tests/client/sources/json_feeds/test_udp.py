"""Joints as JSON in datagrams, on a real port."""

import asyncio
import json
import socket
import threading
from contextlib import aclosing

import numpy as np
import pytest
from tests.support.played_feed import heard, heard_of, stream_played
from tests.support.udp_ports import free_port

from motionscribe.demo.performer import perform
from motionscribe.sources.json_feeds import udp
from motionscribe.sources.json_feeds.udp import UdpReader
from motionscribe.sources.json_feeds.udp_simulator import UdpSender
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment
from motionscribe.sources.sending import Actor
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.skeleton import Skeleton, feature_skeleton

RECORDING = perform([("walk", 0.5)], rate_hz=60).recording


def test_recordings_arrive_as_people() -> None:
    skeleton = Skeleton("k", ("left_hip", "nose"), (-1, -1), "positions", "mm", 0.001, "z", 60.0)
    frames = np.random.default_rng(1).normal(0, 1000, (10, 6)).astype(np.float32)
    frames[4, 3:] = np.nan
    sure = np.random.default_rng(2).uniform(0, 1, (10, 2)).astype(np.float32)
    other = Recording("k", frames, even_times(10, 60.0), skeleton, confidences=sure)
    port = free_port()
    recordings = [RECORDING, other]
    moments = heard_of(UdpReader(("127.0.0.1", port)), recordings, lambda: UdpSender(recordings, f"127.0.0.1:{port}"))
    assert [[body.person for body in moment.bodies] for moment in moments] == [["1", "2"]] * 10 + [["1"]] * 20
    assert [moment.time_us for moment in moments] == RECORDING.timestamps_us.tolist()
    walk, standing = moments[0].bodies
    assert walk.skeleton.joints == RECORDING.skeleton.joints
    np.testing.assert_allclose(
        [moment.bodies[0].values.reshape(-1, 3) for moment in moments], Actor(RECORDING).places, atol=1e-4
    )
    values = [moment.bodies[1].values.reshape(-1, 3) for moment in moments[:10]]
    np.testing.assert_allclose(values, Actor(other).places, atol=1e-4)
    assert (walk.confidences, standing.skeleton.up_axis) == (None, "y")
    expected = np.where(np.isnan(frames[:, ::3]), 0, sure)
    found = [confidences for moment in moments[:10] if (confidences := moment.bodies[1].confidences) is not None]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_strange_datagrams_are_counted_and_passed_over() -> None:
    port, ready = free_port(), threading.Event()
    reader = UdpReader(("127.0.0.1", port))

    def send() -> None:
        assert ready.wait(10)
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for _ in range(5):
                for message in (b"", b"\xff\xfe", b"#bundle\0", b'{"joints": {"a": [1, 2, 3]}}'):
                    sender.sendto(message, ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    assert len(list(heard(reader, 5, ready.set))) == 5
    thread.join(10)
    assert reader.strange == 15


def test_a_person_who_goes_on_with_other_joints_is_the_next_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the whole feed, with a pause before the new ones."""
    old = [(n * 30_000, json.dumps({"joints": {"a": [n, 0, 0], "b": [0, 0, 0]}}).encode(), "") for n in range(20)]
    new = [(5_000_000 + n * 30_000, b'{"joints": {"c": [1, 2, 3]}}', "") for n in range(15)]
    monkeypatch.setattr(udp, "datagrams", lambda address: iter([*old, *[None] * 3, *new]))

    async def run() -> list[tuple[str, tuple[str, ...], int]]:
        feed = LiveFeed("udp", UdpReader(("", 1)), several=True)
        found = []
        async with aclosing(feed.people()) as people:
            async for person in people:
                assert person.skeleton
                count = sum([len(block) async for block in person.blocks(10)])
                found.append((person.name, person.skeleton.joints, count))
        return found

    assert asyncio.run(run()) == [("udp-1", ("a", "b"), 20), ("udp-1", ("c",), 15)]


def test_what_is_no_body_is_not_sent() -> None:
    machine = Recording("m", np.ones((3, 1), np.float32), even_times(3, 1.0), feature_skeleton("m", ("a",), 1.0))
    with pytest.raises(RecordingError, match="expected a body in space"):
        UdpSender([machine], "")


def test_the_command_streams_each_person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    server = stream_played(monkeypatch, f"udp:127.0.0.1:{free_port()}", [RECORDING, RECORDING], streams=2)
    assert sorted(opened.stream_id for opened in server.opens) == ["stage-1", "stage-2"]
    assert list(server.opens[0].skeleton.joints) == list(RECORDING.skeleton.joints)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["stream"] for event in events} == {"stage-1", "stage-2"}


def test_of_people_without_ids_a_tracker_tells_who_is_who(monkeypatch: pytest.MonkeyPatch) -> None:
    def frame(n: int) -> bytes:
        people = [{"joints": {"left_hip": [x + n / 100, 1, 0], "head": [x, 1.8, 0]}} for x in (0, 5)]
        return json.dumps({"people": people[:: 1 if n % 2 else -1]}).encode()

    heard = [(n * 30_000, frame(n), "") for n in range(60)]
    monkeypatch.setattr(udp, "datagrams", lambda address: iter(heard))

    async def run() -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        async with aclosing(LiveFeed("udp", UdpReader(("", 1)), several=True).people()) as people:
            async for person in people:
                found[person.person] = [
                    v for b in [b async for b in person.blocks(10)] for v in b.values[:, 0].tolist()
                ]
        return found

    found = asyncio.run(run())
    assert found.keys() == {"1", "2"}
    assert all(max(places) - min(places) < 1 for places in found.values())


def test_a_moment_without_people_is_one() -> None:
    port = free_port()
    ready = threading.Event()

    def send() -> None:
        assert ready.wait(10)
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(b'{"time": 2, "people": []}', ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    (moment,) = heard(UdpReader(("127.0.0.1", port)), 1, ready.set)
    thread.join(10)
    assert isinstance(moment, Moment)
    assert (moment.time_us, list(moment.bodies)) == (2_000_000, [])
