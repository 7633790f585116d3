"""QTM simulated: what is sent is heard, by our reader and by another program."""

import asyncio
import socket
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import qtm_rt
from tests.client.sources.qtm import qtm_bytes as made
from tests.client.sources.qtm.qtm_hearing import hearing
from tests.support.played_feed import sent_until_heard, stream_played
from tests.support.waiting import wait_until

from motionscribe.demo.performer import perform
from motionscribe.sources.person_ids import person_id
from motionscribe.sources.qtm.simulator import QtmSender
from motionscribe.sources.sending import Actor
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import Recording
from motionscribe_models.skeleton import upright


@pytest.fixture(scope="module")
def walk() -> Recording:
    return perform([("walk", 1.0)], rate_hz=60).recording


def test_two_people_arrive_as_they_were_sent(walk: Recording) -> None:
    frames = walk.frames.copy()
    frames[10:, 0] += 2.0
    people = [replace(walk, name="Ann"), replace(walk, name='B"<o>b', frames=frames)]
    with closing(QtmSender(people, "127.0.0.1:0")) as sender, hearing(sender.port) as (reader, moments):
        for row in range(0, 60, 7):
            moment = sent_until_heard(sender, moments, 1000 * row + 1, [row, row])
            assert [body.person for body in moment.bodies] == ["Ann", person_id('B"<o>b')]
            for body, recording in zip(moment.bodies, people, strict=True):
                skeleton = body.skeleton
                assert set(skeleton.joints) == set(walk.skeleton.joints)
                metres = (
                    joint_positions(skeleton, body.values[None])[0] @ upright(skeleton).T * skeleton.metres_per_unit
                )
                order = [walk.skeleton.joints.index(joint) for joint in skeleton.joints]
                np.testing.assert_allclose(metres, Actor(recording).places[row, order], atol=1e-4)
        assert sent_until_heard(sender, moments, 99_000, [None, 5]).bodies[0].person == person_id('B"<o>b')
        assert reader.strange == 0


def test_a_qtm_that_starts_again_with_another_person(walk: Recording) -> None:
    sender = QtmSender([walk], "127.0.0.1:0")
    with hearing(sender.port) as (reader, moments):
        with closing(sender):
            sent_until_heard(sender, moments, 1, [0])
        wait_until(lambda: next(moments) is None)
        with closing(QtmSender([replace(walk, name="Eve")], f"127.0.0.1:{sender.port}")) as again:
            assert sent_until_heard(again, moments, 2, [0]).bodies[0].person == "Eve"
        assert reader.strange == 0


def test_a_pause_changes_nothing(walk: Recording) -> None:
    with closing(QtmSender([walk], "127.0.0.1:0")) as sender, hearing(sender.port) as (_, moments):
        before = sent_until_heard(sender, moments, 1, [0])
        nothing = 0
        while nothing < 12:  # more than a second: QTM is asked again meanwhile
            nothing += next(moments) is None
        after = sent_until_heard(sender, moments, 2, [0])
    assert after.bodies[0].person == before.bodies[0].person
    assert after.bodies[0].skeleton == before.bodies[0].skeleton


def test_a_client_who_does_not_read_stops_nobody_and_fills_no_memory(walk: Recording) -> None:
    with (
        closing(QtmSender([walk], "127.0.0.1:0")) as sender,
        socket.socket() as slow,
        hearing(sender.port) as (_, moments),
    ):
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", sender.port))
        slow.sendall(made.command("streamframes allframes skeleton:global"))
        name = slow.getsockname()
        wait_until(lambda: any(client.streaming for client in sender.clients))
        (client,) = (client for client in sender.clients if client.port.getpeername() == name)
        client.port.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

        def stuck() -> bool:
            sender.send(0, [0])
            return bool(client.waiting)

        wait_until(stuck)
        for time_us in range(1, 200):
            sender.send(time_us, [0])
        assert len(client.waiting) < 4096, "no more than the rest of one frame"
        assert sent_until_heard(sender, moments, 1000, [0])


def test_another_program_hears_what_is_sent(walk: Recording) -> None:
    """The package `qtm_rt`, by Qualisys."""

    async def hear(sender: QtmSender) -> qtm_rt.QRTPacket:
        connection = await qtm_rt.connect("127.0.0.1", sender.port)
        assert b"little endian" in await connection.byte_order()
        assert b'<Segment Name="root">' in await connection.get_parameters(["skeleton"])
        came: asyncio.Queue[qtm_rt.QRTPacket] = asyncio.Queue()
        streaming = asyncio.create_task(
            connection.stream_frames(components=["skeleton:global"], on_packet=came.put_nowait)
        )
        while came.empty():
            sender.send(1_500_000, [3])
            await asyncio.sleep(0.005)
        await streaming
        await connection.stream_frames_stop()
        connection.disconnect()
        return came.get_nowait()

    with closing(QtmSender([walk], "127.0.0.1:0")) as sender:
        packet = asyncio.run(hear(sender))
    _, ((first, *others),) = packet.get_skeletons()
    x, y, z = Actor(walk).places[3, 0]
    np.testing.assert_allclose(first[1], [1000 * x, -1000 * z, 1000 * y], rtol=1e-5)
    assert (packet.timestamp, len(others)) == (1_500_000, len(walk.skeleton.joints) - 1)


def test_the_command_line_streams_it(monkeypatch: pytest.MonkeyPatch, walk: Recording) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = stream_played(monkeypatch, f"qtm:127.0.0.1:{port}", [replace(walk, name="Ann")])
    assert server.opens[0].stream_id == "stage-Ann"
    assert set(server.opens[0].skeleton.joints) == set(walk.skeleton.joints)
