"""QTM as a live feed: servers that say what they are told to, and the simulator, over real sockets."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.sources.qtm import qtm_bytes as made
from tests.client.sources.qtm.qtm_bytes import Script, SpokenServer, script
from tests.client.sources.qtm.qtm_hearing import hearing
from tests.support.waiting import wait_until

from motionscribe.errors import NotFound
from motionscribe.sources.moments import Moment
from motionscribe.sources.person_ids import person_id
from motionscribe.sources.qtm.conversation import Conversation
from motionscribe.sources.qtm.feed import QtmReader, open_qtm
from motionscribe.sources.qtm.packets import Kind
from motionscribe_models.body.mapping import find_mapping

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
    assert [body.person for body in first.bodies] == ["Ann", person_id("Bob 2")]
    assert [body.person for body in second.bodies] == [person_id("Bob 2")], "who is not tracked is not there"
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


def test_one_that_is_too_old_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    older = script(made.xml(ANN))
    older["Version"] = [made.packet(0, b"Version NOT supported\0")]
    with spoken(older) as (_, _, moments):
        wait_until(lambda: next(moments) is None and bool(caplog.records))
    (record,) = caplog.records
    assert "expected protocol 1.21 or later" in record.getMessage()


def test_more_joints_than_a_body_has_are_refused() -> None:
    conversation = Conversation(lambda _: None)
    many = made.xml(made.skeleton("Ann", made.chain(*(f"b{n}" for n in range(600)))))
    with pytest.raises(ValueError, match="up to 512 joints"):
        conversation.take(Kind.XML, many[8:], 0)
