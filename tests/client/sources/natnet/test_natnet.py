"""Motive as a live feed: what the reader makes of packets, and the simulator on this machine, over real sockets."""

import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from socket import AF_INET, SOCK_DGRAM, socket

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natnet import DataDescriptions, DataFrame, ServerInfo, Version
from natnet.packet_buffer import PacketBuffer
from tests.client.sources.natnet import natnet_bytes as made
from tests.support.played_feed import sent_until_heard, stream_played
from tests.support.waiting import wait_until

from motionscribe.demo.performer import perform
from motionscribe.errors import NotFound
from motionscribe.sources.moments import Moment
from motionscribe.sources.natnet.feed import NatNetReader, open_natnet
from motionscribe.sources.natnet.packets import CONNECT, Message, pack, unpack
from motionscribe.sources.natnet.simulator import NatNetSender
from motionscribe.sources.sending import Actor
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.recordings.places import METRE, places_skeleton

VERSION = (4, 1)
TWO = [("Hip", 0, (0.0, 0.0, 0.0)), ("Ab", 1, (0.0, 0.1, 0.0))]
BONES = [made.tracked((0.0, 1.0, 0.0)), made.tracked((0.0, 0.1, 0.0))]


@pytest.fixture(scope="module")
def walk() -> Recording:
    return perform([("walk", 1.0)], rate_hz=60).recording


def of_two_bones(name: str) -> Recording:
    """Places of fewer joints than the walk has."""
    skeleton = places_skeleton("two", ["Hip", "Head"], METRE, "y", 60.0, (-1, 0))
    frames = np.tile(np.array([0, 1, 0, 0, 1.6, 0], np.float32), (60, 1))
    return Recording(name, frames, even_times(60, 60.0), skeleton)


# ---- packets, without a network ----


def reader_of(*packets: bytes) -> NatNetReader:
    reader = NatNetReader(("127.0.0.1", 1510))
    for packet in packets:
        assert reader.take(packet, 5) == (None, True)
    return reader


def test_frames_count_when_it_is_known_whom_they_are_of() -> None:
    frame = made.frame(VERSION, 2.5, {1: BONES})
    reader = reader_of(frame, made.server_info(VERSION), frame, made.definitions(made.skeleton(VERSION, "Ann", 1, TWO)))
    moment, known = reader.take(frame, 7)
    assert known
    assert moment
    assert (moment.time_us, moment.arrived_us) == (2_500_000, 7)
    (body,) = moment.bodies
    assert body.person == "Ann"
    np.testing.assert_allclose(body.values, [0, 1, 0, 0, 1.1, 0], atol=1e-6)


def test_up_is_where_motive_says_that_it_is() -> None:
    defined = made.definitions(made.skeleton(VERSION, "Ann", 1, TWO))
    frame = made.frame(VERSION, 2.5, {1: BONES})
    for answer, up in ((struct.pack("<i", 2), "z"), (struct.pack("<i", 1), "y"), (b"2\0", "y")):
        for packets in ([defined, made.packet(3, answer)], [made.packet(3, answer), defined]):
            moment, _ = reader_of(made.server_info(VERSION), *packets).take(frame, 0)
            assert moment
            assert moment.bodies[0].skeleton.up_axis == up


def test_frames_that_come_twice_or_late_keep_their_times() -> None:
    reader = reader_of(made.server_info(VERSION), made.definitions(made.skeleton(VERSION, "Ann", 1, TWO)))
    came = [reader.take(made.frame(VERSION, seconds, {1: BONES}), 0)[0] for seconds in (1.0, 1.2, 1.1, 1.1)]
    assert [moment.time_us for moment in came if moment] == [1_000_000, 1_200_000, 1_100_000, 1_100_000]


@pytest.mark.parametrize(
    "packet",
    [b"", b"\7\0", b"\x2fosc\0,f\0\0", made.packet(55, b"what"), made.packet(7, b"short"), made.packet(1, b"x")],
)
def test_what_is_no_packet_of_motive_is_told(packet: bytes) -> None:
    assert reader_of(made.server_info(VERSION)).take(packet, 0) == (None, False)


def test_a_time_that_is_none_is_refused() -> None:
    reader = reader_of(made.server_info(VERSION))
    for seconds in (float("nan"), float("inf"), 1e300):
        assert reader.take(made.frame(VERSION, seconds), 0) == (None, False)


def test_an_old_version_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    old = made.server_info((2, 10))
    reader_of(old, old, made.frame((3, 0), 1.0, {1: BONES}))
    assert [record.getMessage() for record in caplog.records] == [
        "natnet: expected NatNet 3 or later, of Motive 2, got 2.10"
    ]


@given(st.lists(st.tuples(st.sampled_from(sorted(Message)), st.binary(max_size=120)), max_size=6))
def test_noise_never_raises(noise: list[tuple[Message, bytes]]) -> None:
    reader = reader_of(made.server_info(VERSION), made.definitions(made.skeleton(VERSION, "Ann", 1, TWO)))
    for message, content in noise:
        reader.take(pack(message, content), 0)
        reader.take(content, 0)


def test_another_address_is_refused() -> None:
    with pytest.raises(NotFound, match="HOST:PORT"):
        open_natnet("motive:port")


# ---- the simulator ----


@contextmanager
def hearing(port: int) -> Iterator[tuple[NatNetReader, Iterator[Moment | None]]]:
    reader = NatNetReader(("127.0.0.1", port))
    with closing(reader.moments()) as moments:
        yield reader, moments


def test_two_people_arrive_as_they_were_sent(walk: Recording) -> None:
    frames = walk.frames.copy()
    frames[10:, 0] += 2.0
    people = [replace(walk, name="Ann"), replace(walk, name="Bob", frames=frames)]
    with closing(NatNetSender(people, "127.0.0.1:0")) as sender, hearing(sender.port) as (reader, moments):
        for row in range(0, 60, 7):
            moment = sent_until_heard(sender, moments, 1000 * row + 1, [row, row])
            assert [body.person for body in moment.bodies] == ["Ann", "Bob"]
            for body, recording in zip(moment.bodies, people, strict=True):
                np.testing.assert_allclose(body.values.reshape(-1, 3), Actor(recording).places[row], atol=1e-4)
                assert body.skeleton.joints == walk.skeleton.joints
                assert body.skeleton.parents == walk.skeleton.parents
        assert sent_until_heard(sender, moments, 99_000, [None, 5]).bodies[0].person == "Bob"
        assert reader.strange == 0


def test_joints_that_are_not_seen_arrive_so_and_the_others_as_they_are() -> None:
    recording = of_two_bones("Ann")
    recording.frames[5, :3] = np.nan
    with closing(NatNetSender([recording], "127.0.0.1:0")) as sender, hearing(sender.port) as (_, moments):
        moment = sent_until_heard(sender, moments, 1, [5])
    np.testing.assert_allclose(moment.bodies[0].values, recording.frames[5], atol=1e-4)


def test_a_motive_that_starts_again_with_another_skeleton_is_asked_again(walk: Recording) -> None:
    sender = NatNetSender([walk], "127.0.0.1:0")
    with hearing(sender.port) as (reader, moments):
        with closing(sender):
            first = sent_until_heard(sender, moments, 1, [0])
        wait_until(lambda: next(moments) is None)
        with closing(NatNetSender([of_two_bones("Ann")], f"127.0.0.1:{sender.port}")) as again:
            second = sent_until_heard(again, moments, 2, [0])
        assert reader.strange == 0
    assert len(first.bodies[0].skeleton.joints) == len(walk.skeleton.joints)
    assert second.bodies[0].skeleton.joints == ("Hip", "Head")


def test_a_pause_changes_nothing(walk: Recording) -> None:
    with closing(NatNetSender([walk], "127.0.0.1:0")) as sender, hearing(sender.port) as (_, moments):
        before = sent_until_heard(sender, moments, 1, [0])
        nothing = 0
        while nothing < 5:  # half a second: the reader has called again meanwhile
            nothing += next(moments) is None
        after = sent_until_heard(sender, moments, 2, [0])
    assert after.bodies[0].person == before.bodies[0].person
    assert after.bodies[0].skeleton == before.bodies[0].skeleton


def test_packets_of_others_are_counted(walk: Recording) -> None:
    with closing(NatNetSender([walk], "127.0.0.1:0")) as sender, hearing(sender.port) as (reader, moments):
        sent_until_heard(sender, moments, 1, [0])
        (client,) = sender.clients
        with socket(AF_INET, SOCK_DGRAM) as other:
            other.bind(("127.0.0.2", 0))
            other.sendto(made.frame(VERSION, 9.0), ("127.0.0.1", client[1]))
            other.sendto(b"noise", ("127.0.0.1", client[1]))
        wait_until(lambda: next(moments) is None and reader.strange == 2)


def test_another_port_of_the_same_machine_cannot_say_where_frames_go(walk: Recording) -> None:
    with closing(NatNetSender([walk], "127.0.0.1:0")) as sender, hearing(sender.port) as (reader, moments):
        sent_until_heard(sender, moments, 1, [0])
        (client,) = sender.clients
        with socket(AF_INET, SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            other.sendto(made.server_info((2, 9)), ("127.0.0.1", client[1]))
        wait_until(lambda: next(moments) is None and reader.strange == 1)
        sent_until_heard(sender, moments, 2, [0])


def test_a_group_whose_port_is_taken_is_told_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with socket(AF_INET, SOCK_DGRAM) as server, socket(AF_INET, SOCK_DGRAM) as busy:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5.0)
        busy.bind(("", 0))
        with hearing(server.getsockname()[1]) as (_, moments):
            assert next(moments) is None
            _, client = server.recvfrom(65536)
            server.sendto(made.server_info(VERSION, busy.getsockname()[1], "239.255.42.99"), client)
            wait_until(lambda: next(moments) is None and bool(caplog.records))
            assert [next(moments) for _ in range(3)] == [None] * 3
    (record,) = caplog.records
    assert "multicast 239.255.42.99:" in record.getMessage()


def test_another_program_hears_what_is_sent(walk: Recording) -> None:
    """The package `natnet`, which reads packets by code of its own."""
    places = Actor(walk).places
    with closing(NatNetSender([walk], "127.0.0.1:0")) as sender, socket(AF_INET, SOCK_DGRAM) as client:
        client.settimeout(5.0)
        server = "127.0.0.1", sender.port
        client.sendto(pack(Message.CONNECT, CONNECT), server)
        info = ServerInfo.read_from_buffer(PacketBuffer(unpack(client.recv(65536))[1]), Version(4, 1))
        assert (str(info.nat_net_protocol_version), info.application_name) == ("4.1.0.0", "motionscribe")
        client.sendto(pack(Message.REQUEST_DEFINITIONS), server)
        described = DataDescriptions.read_from_buffer(PacketBuffer(unpack(client.recv(65536))[1]), Version(4, 1))
        (skeleton,) = described.skeletons
        assert tuple(bone.name for bone in skeleton.rigid_body_descriptions) == walk.skeleton.joints
        assert [bone.parent_id - 1 for bone in skeleton.rigid_body_descriptions] == list(walk.skeleton.parents)
        sender.send(1_500_000, [3])
        frame = DataFrame.read_from_buffer(PacketBuffer(unpack(client.recv(65536))[1]), Version(4, 1))
        assert (frame.suffix.timestamp, frame.skeletons[0].id_num) == (1.5, skeleton.id_num)
        np.testing.assert_allclose(frame.skeletons[0].rigid_bodies[0].pos, places[3, 0], atol=1e-6)
        assert all(bone.tracking_valid for bone in frame.skeletons[0].rigid_bodies)


def test_frames_by_multicast_are_heard(walk: Recording) -> None:
    """A server that says so sends to a group; loopback has no route to it everywhere, so that a join may fail."""
    with socket(AF_INET, SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5.0)
        port = server.getsockname()[1]
        came: list[Moment] = []
        stopped = threading.Event()

        def hear() -> None:
            with hearing(port) as (_, moments):
                while not came and not stopped.is_set():
                    moment = next(moments)
                    came.extend([moment] if moment else [])

        thread = threading.Thread(target=hear)
        thread.start()
        try:
            _, client = server.recvfrom(65536)
            with socket(AF_INET, SOCK_DGRAM) as free:
                free.bind(("", 0))
                data_port = free.getsockname()[1]
            server.sendto(made.server_info(VERSION, data_port, "239.255.42.99"), client)
            server.sendto(made.definitions(made.skeleton(VERSION, "Ann", 1, TWO)), client)

            def heard() -> bool:
                server.sendto(made.frame(VERSION, 3.0, {1: BONES}), ("127.0.0.1", data_port))
                return bool(came)

            wait_until(heard)
        finally:
            stopped.set()
            thread.join()
    assert came[0].time_us == 3_000_000


def test_the_command_line_streams_it(monkeypatch: pytest.MonkeyPatch, walk: Recording) -> None:
    with socket(AF_INET, SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = stream_played(monkeypatch, f"natnet:127.0.0.1:{port}", [replace(walk, name="Ann")])
    assert server.opens[0].stream_id == "stage-Ann"
    assert tuple(server.opens[0].skeleton.joints) == walk.skeleton.joints
