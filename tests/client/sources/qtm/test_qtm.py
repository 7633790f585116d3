"""QTM as a live feed: servers that say what they are told to, and the simulator, over real sockets."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np
import pytest
import qtm_rt
from hypothesis import given
from hypothesis import strategies as st
from tests.client.sources.qtm import qtm_bytes as made
from tests.client.sources.qtm.qtm_bytes import Script, SpokenServer, script
from tests.support.played_feed import stream_played
from tests.support.waiting import wait_until

from motionscribe.demo.performer import perform
from motionscribe.errors import NotFound
from motionscribe.sources.moments import Moment
from motionscribe.sources.qtm.conversation import Conversation
from motionscribe.sources.qtm.feed import QtmReader, open_qtm
from motionscribe.sources.qtm.packets import Kind
from motionscribe.sources.qtm.simulator import QtmSender
from motionscribe.sources.sending import Actor
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import Recording
from motionscribe_models.skeleton import upright

QTM = ["Hips", "Spine", "Spine1", "Neck", "Head"]
QTM += [
    f"{side}{part}"
    for side in ("Left", "Right")
    for part in ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")
]
MARKERS = [
    f"{side}_{part}"
    for side in "LR"
    for part in ("SAE", "HLE", "HME", "RSP", "USP", "IAS", "IPS", "FLE", "FME", "FAL", "TAM", "HDF")
]
MARKERS += ["L_HDB", "R_HDB", "SJN"]
ANN = made.skeleton("Ann", made.chain("Hips", "Spine", "Head"))
PLACES = [[0, 0, 900], [0, 0, 1200], [10, 0, 1700]]


@contextmanager
def hearing(port: int) -> Iterator[tuple[QtmReader, Iterator[Moment | None]]]:
    reader = QtmReader(("127.0.0.1", port))
    with closing(reader.moments()) as moments:
        yield reader, moments


@contextmanager
def spoken(
    *scripts: Script,
) -> Iterator[tuple[SpokenServer, QtmReader, Iterator[Moment | None]]]:
    with closing(SpokenServer(*scripts)) as server, hearing(server.port) as (reader, moments):
        yield server, reader, moments


def heard(moments: Iterator[Moment | None], count: int) -> list[Moment]:
    came: list[Moment] = []

    def enough() -> bool:
        moment = next(moments)
        came.extend([moment] if moment else [])
        return len(came) == count

    wait_until(enough)
    return came


# ---- what is said ----


def test_skeletons_are_people_in_metres_by_their_names() -> None:
    people = made.xml(ANN, made.skeleton("Bob 2", made.chain(*QTM)))
    bob = [[n, 0, 1] for n in range(len(QTM))]
    frames = made.data(10_000, made.skeletons(PLACES, bob)) + made.data(20_000, made.skeletons([], bob))
    with spoken(script(people, frames)) as (server, reader, moments):
        first, second = heard(moments, 2)
    assert [first.time_us, second.time_us] == [10_000, 20_000]
    assert [body.person for body in first.bodies] == ["Ann", "Bob-2"]
    assert [body.person for body in second.bodies] == ["Bob-2"], "who is not tracked is not there"
    np.testing.assert_allclose(first.bodies[0].values.reshape(-1, 3), PLACES)
    skeleton = first.bodies[1].skeleton
    assert (skeleton.metres_per_unit, skeleton.up_axis, skeleton.joints) == (0.001, "z", tuple(QTM))
    assert skeleton.parents[:3] == (-1, 0, 1)
    assert not find_mapping(skeleton).missing
    assert reader.strange == 0
    assert server.heard == ["Version 1.25", "GetParameters 3D Skeleton", "StreamFrames AllFrames Skeleton:Global"]


def test_labelled_markers_are_one_person_where_nobody_has_a_skeleton() -> None:
    places = np.arange(3.0 * len(MARKERS)).reshape(-1, 3)
    places[4] = np.nan
    with spoken(script(made.xml(markers=MARKERS, up="+Y"), made.data(1, made.markers(places)))) as (server, _, moments):
        (moment,) = heard(moments, 1)
    (body,) = moment.bodies
    assert (body.person, body.skeleton.up_axis) == ("markers", "y")
    np.testing.assert_array_equal(body.values.reshape(-1, 3), places.astype(np.float32))
    assert not find_mapping(body.skeleton).missing
    assert server.heard[-1] == "StreamFrames AllFrames 3D"


def test_an_older_qtm_is_spoken_to_in_its_version() -> None:
    older = script(made.xml(ANN), made.data(1, made.skeletons(PLACES)))
    older["Version"] = [made.packet(0, b"Version NOT supported\0"), made.command("Version set to 1.21")]
    with spoken(older) as (server, _, moments):
        assert heard(moments, 1)
    assert server.heard[:2] == ["Version 1.25", "Version 1.21"]


def test_events_and_the_end_of_data_raise_nothing_and_a_new_capture_is_asked_for() -> None:
    stopped, shut, none = made.packet(6, b"\4"), made.packet(6, b"\x0c"), made.packet(4, b"")
    started = made.packet(6, b"\3")
    frames = [made.data(1, made.skeletons(PLACES)), stopped, none, made.packet(6, b""), started, shut]
    with spoken(script(made.xml(ANN), *frames)) as (server, reader, moments):
        heard(moments, 2)
    assert server.heard.count("GetParameters 3D Skeleton") >= 2
    assert reader.strange == 0


def test_frames_of_others_than_qtm_said_are_asked_for() -> None:
    other = made.data(1, made.skeletons(PLACES, PLACES)) + made.data(2, made.skeletons(PLACES[:2]))
    with spoken(script(made.xml(ANN), other)) as (server, _, moments):
        wait_until(lambda: next(moments) is None and server.heard.count("GetParameters 3D Skeleton") > 1)


def test_a_silent_qtm_is_asked_again() -> None:
    """Its measurement has not begun: it says nothing until one does."""
    with spoken(script(made.xml())) as (server, _, moments):
        wait_until(lambda: next(moments) is None and server.heard.count("GetParameters 3D Skeleton") > 1)


@pytest.mark.parametrize(
    ("end", "strange"),
    [
        (made.data(5, made.skeletons(PLACES))[:-9], 1),
        (b"\0\0\0\0\3\0\0\0", 1),
        (b"GET / HTTP/1.1\r\n\r\n", 1),
        (made.packet(3, b"short") + made.packet(2, b"<no"), 2),
        (b"", 0),
    ],
)
def test_one_that_hangs_up_or_talks_nonsense_is_called_again(end: bytes, strange: int) -> None:
    frame = made.data(1, made.skeletons(PLACES))
    again = script(made.xml(made.skeleton("Bob", made.chain("Hips", "Head"))), made.data(2, made.skeletons(PLACES[:2])))
    with spoken(script(made.xml(ANN), frame, end, None), again) as (_, reader, moments):
        first, second = heard(moments, 2)
    assert [first.bodies[0].person, second.bodies[0].person] == ["Ann", "Bob"]
    assert second.bodies[0].skeleton.joints == ("Hips", "Head")
    assert reader.strange == strange


@given(st.lists(st.tuples(st.sampled_from([*Kind, 9]), st.binary(max_size=80)), max_size=8))
def test_noise_raises_nothing_but_value_errors(noise: list[tuple[int, bytes]]) -> None:
    said: list[str] = []
    conversation = Conversation(said.append)
    conversation.take(Kind.COMMAND, made.WELCOME, 0)
    conversation.take(Kind.COMMAND, b"Version set to 1.25\0", 0)
    for kind, content in noise:
        try:
            assert conversation.take(kind, content, 0) is None
        except ValueError:
            continue
    assert len(said) <= 2 + len(noise)


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with hearing(port) as (reader, moments):
        assert next(moments) is None
        assert reader.where == f"QTM at 127.0.0.1:{port}"
    with pytest.raises(NotFound, match="HOST:PORT"):
        open_qtm("here:there")


# ---- the simulator ----


@pytest.fixture(scope="module")
def walk() -> Recording:
    return perform([("walk", 1.0)], rate_hz=60).recording


def sent_until_heard(
    sender: QtmSender, moments: Iterator[Moment | None], time_us: int, rows: list[int | None]
) -> Moment:
    """Sends a frame again and again until it is heard."""
    found: list[Moment] = []

    def come() -> bool:
        sender.send(time_us, rows)
        moment = next(moments)
        found.extend([moment] if moment and moment.time_us == time_us else [])
        return bool(found)

    wait_until(come)
    return found[0]


def test_two_people_arrive_as_they_were_sent(walk: Recording) -> None:
    frames = walk.frames.copy()
    frames[10:, 0] += 2.0
    people = [replace(walk, name="Ann"), replace(walk, name='B"<o>b', frames=frames)]
    with closing(QtmSender(people, "127.0.0.1:0")) as sender, hearing(sender.port) as (reader, moments):
        for row in range(0, 60, 7):
            moment = sent_until_heard(sender, moments, 1000 * row + 1, [row, row])
            assert [body.person for body in moment.bodies] == ["Ann", "B-o-b"]
            for body, recording in zip(moment.bodies, people, strict=True):
                skeleton = body.skeleton
                assert set(skeleton.joints) == set(walk.skeleton.joints)
                metres = (
                    joint_positions(skeleton, body.values[None])[0] @ upright(skeleton).T * skeleton.metres_per_unit
                )
                order = [walk.skeleton.joints.index(joint) for joint in skeleton.joints]
                np.testing.assert_allclose(metres, Actor(recording).places[row, order], atol=1e-4)
        assert sent_until_heard(sender, moments, 99_000, [None, 5]).bodies[0].person == "B-o-b"
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
