"""The feed `mvn:` hears what `simulate mvn:` sends, on this machine's own UDP ports."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.support.any_width import AnyWidthServer
from tests.support.mvn_packets import quaternions, standing
from tests.support.udp_ports import is_bound
from tests.support.waiting import until, wait_until

from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe.errors import NotFound
from motionscribe.sources import Source
from motionscribe.sources.datagrams import WAIT_S
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment
from motionscribe.sources.mvn import reader
from motionscribe.sources.mvn.datagram import KINDS, SEGMENTS
from motionscribe.sources.mvn.reader import MvnReader
from motionscribe.sources.mvn.sender import MvnSender, places_of
from motionscribe.sources.schemes import open_source
from motionscribe.sources.sending import Actor, play
from motionscribe_models.body.mapping import mapped
from motionscribe_models.errors import LayoutError, RecordingError
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.recordings.writing import write_recording
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_proto.frames import FrameBlock


@pytest.fixture
def port() -> int:
    """A free one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def walk() -> Recording:
    return perform([("walk", 1.5)], rate_hz=60).recording


@pytest.fixture
def own() -> Recording:
    """A recording with MVN's own segments."""
    values = np.random.default_rng(3).normal(size=(40, 23 * 3)).astype(np.float32)
    values[7, 3:6] = np.nan
    return Recording("own", values, even_times(40, 100.0), replace(KINDS["02"].skeleton, rate_hz=100.0))


def heard(recordings: list[Recording], port: int) -> dict[str, FrameBlock]:
    """Frames of each person in a feed to which the recordings were sent eight times as fast as they are."""

    async def take(person: Source) -> FrameBlock:
        (block,) = [block async for block in person.blocks(1000)]
        return block

    async def run() -> dict[str, FrameBlock]:
        feed = LiveFeed("mvn", MvnReader(("127.0.0.1", port)), several=True, silence_s=0.4)
        await until(lambda: is_bound(port))
        sender = MvnSender(recordings, f"127.0.0.1:{port}")
        await asyncio.to_thread(play, recordings, sender, speed=8.0)
        people = [person async for person in feed.people()]
        assert [person.name for person in people] == [f"mvn-{person.person}" for person in people]
        return {person.person: await take(person) for person in people}

    return asyncio.run(run())


def test_characters_arrive_where_the_recordings_are(own: Recording, walk: Recording, port: int) -> None:
    found = heard([own, walk], port)
    assert list(found) == ["1", "2"]
    np.testing.assert_array_equal(found["1"].timestamps_us, own.timestamps_us)
    np.testing.assert_allclose(found["1"].values, own.frames, atol=1e-4)
    length = len(found["2"])
    assert np.abs(found["2"].timestamps_us - own.timestamps_us[:length]).max() <= 1000
    came = mapped(Recording("came", found["2"].values, found["2"].timestamps_us, KINDS["02"].skeleton))
    rows = [Actor(walk).row(time_us) or 0 for time_us in own.timestamps_us.tolist()]
    np.testing.assert_allclose(came.frames, mapped(walk).frames[rows], atol=1e-4)


def test_segments_that_a_recording_lacks_are_not_made_up(walk: Recording) -> None:
    lost = np.isnan(places_of(Actor(walk))).all(axis=(0, 2))
    assert [SEGMENTS[row] for row in np.flatnonzero(lost)] == [
        *("L5", "L3", "T12", "T8", "RightShoulder", "LeftShoulder", "RightToe", "LeftToe"),
    ]


def test_what_is_no_body_is_not_sent() -> None:
    machine = Recording("m", np.ones((2, 2), np.float32), even_times(2, 10.0), feature_skeleton("m", ("a", "b"), 10.0))
    with pytest.raises(LayoutError, match="expected joints of a body"):
        MvnSender([machine], "")
    with pytest.raises(RecordingError, match="at most 256 recordings for MVN, got 257"):
        MvnSender([machine] * 257, "")


def test_the_command_line_sends_and_receives(
    walk: Recording, port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "walk.npz"
    write_recording(walk, path)
    # not the minute that people get to start their software again
    monkeypatch.setattr(reader, "LiveFeed", partial(LiveFeed, silence_s=0.4))

    def send() -> None:
        wait_until(lambda: is_bound(port))
        assert main(["simulate", f"mvn:127.0.0.1:{port}", str(path), "--speed", "8"]) == 0

    sending = threading.Thread(target=send)
    with AnyWidthServer() as server:
        sending.start()
        assert main(["stream", f"mvn:127.0.0.1:{port}", "--json", "--address", server.address]) == 0
    sending.join()
    came = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert {event["stream"] for event in came} == {"mvn-1"}
    assert [event["start_seq"] for event in came] == list(range(1, len(walk.frames) + 1))
    (blocks,) = server.frames.values()
    values = np.concatenate([block.values for block in blocks])
    np.testing.assert_allclose(values, places_of(Actor(walk)).reshape(len(walk.frames), -1), atol=1e-6)


def send_to(port: int, *packets: bytes, host: str = "127.0.0.1") -> None:
    """Sends datagrams from a host of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind((host, 0))
        for packet in packets:
            out.sendto(packet, ("127.0.0.1", port))


def until_silent(moments: Iterator[Moment | None]) -> list[Moment]:
    """What comes before the next pause: a packet that is no moment yet is none."""
    came, asked_s = [], time.monotonic()
    for moment in moments:
        if moment:
            came.append(moment)
        elif time.monotonic() - asked_s > WAIT_S / 2:
            break
        asked_s = time.monotonic()
    return came


def test_foreign_and_other_machines_datagrams_are_counted_and_passed_over(port: int) -> None:
    mvn = MvnReader(("127.0.0.1", port))
    with closing(mvn.moments()) as moments:
        assert next(moments) is None
        send_to(port, b"hello", quaternions(standing())[:-1], quaternions(standing(1.0)))
        send_to(port, quaternions(standing(2.0), sample=1, time_ms=10), host="127.0.0.2")
        send_to(port, quaternions(standing(1.0), sample=1, time_ms=10))
        came = until_silent(moments)
    assert mvn.strange == 3
    assert [(moment.time_us, moment.bodies[0].values[0]) for moment in came] == [(0, 1.0), (10_000, 1.0)]


def test_the_last_sample_does_not_wait_for_what_never_comes(port: int) -> None:
    with closing(MvnReader(("127.0.0.1", port)).moments()) as moments:
        assert next(moments) is None
        send_to(port, quaternions(standing()[:20], counter=0))
        (moment,) = until_silent(moments)
    assert np.isnan(moment.bodies[0].values).sum() == 9


def test_a_pause_and_a_new_start_do_not_end_a_person(port: int) -> None:
    with closing(MvnReader(("127.0.0.1", port)).moments()) as moments:
        assert next(moments) is None
        send_to(port, *[quaternions(standing(), sample=n, time_ms=10 * n) for n in range(50, 53)])
        before = until_silent(moments)
        send_to(port, *[quaternions(standing(), sample=n, time_ms=10 * n) for n in range(3)])
        after = until_silent(moments)
    assert [moment.time_us for moment in before + after] == [500_000, 510_000, 520_000, 0, 10_000, 20_000]
    assert {moment.bodies[0].person for moment in before + after} == {"1"}


def test_addresses(port: int) -> None:
    feed = open_source(f"mvn:127.0.0.1:{port}")
    assert isinstance(feed, LiveFeed)
    assert (feed.name, feed.several, feed.reader.where) == ("mvn", True, f"Xsens MVN on UDP port {port}")
    feed.close()
    with pytest.raises(NotFound, match="expected a port"):
        open_source("mvn:studio")
    assert reader.PORT == 9763
