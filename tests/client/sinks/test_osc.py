"""A real server of python-osc hears every event; a port that nobody has open counts as down."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.support.messages import EVERY_EVENT, finals
from tests.support.redis_server import free_port
from tests.support.waiting import wait_until

from motionscribe.errors import BadFile
from motionscribe.sinks import StreamInfo, addresses
from motionscribe.sinks.message import Message
from motionscribe.sinks.osc import ARGUMENTS, Osc
from motionscribe.sinks.relay import Relay
from motionscribe_models.errors import MissingExtraError
from motionscribe_proto.events import KINDS

dispatcher = pytest.importorskip("pythonosc.dispatcher")
osc_server = pytest.importorskip("pythonosc.osc_server")
INFO = StreamInfo("gym/1 #a", "a title", {7: "wa\u202elk"})
Came = list[tuple[str, tuple[object, ...]]]


@contextmanager
def receiver(port: int) -> Iterator[Came]:
    came: Came = []
    routes = dispatcher.Dispatcher()
    routes.set_default_handler(lambda address, *values: came.append((address, values)))
    with osc_server.OSCUDPServer(("127.0.0.1", port), routes) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield came
        finally:
            server.shutdown()


def test_each_event_has_an_address_and_arguments() -> None:
    port = free_port()
    place, address = addresses.parse_place(f"osc:127.0.0.1:{port}")
    with receiver(port) as came, place.open(address) as make:
        for event in EVERY_EVENT:
            make(INFO).write(event)
        wait_until(lambda: len(came) == len(EVERY_EVENT))
    ids = [values[-1] for _, values in came]
    assert len(set(ids)) == len(EVERY_EVENT)
    prefix = "/motionscribe/gym_1__a/"
    assert [(address.removeprefix(prefix), values[:-1]) for address, values in came] == [
        ("cluster/created", (7,)),
        ("segment/started", (1, 7, "walk")),
        ("label", (7, "wa\\u202elk", 0.75, 0)),
        ("label", (7, "wa\\u202elk", 1.0, 1)),
        ("anomaly/scores", (0.5, 2.0, 40.0)),
        ("anomaly", ("motion fault", "begun", "left_knee, hips", 0.25, 3)),
        ("anomaly", ("motion fault", "ended", "left_knee, hips", 0.25, 3)),
        ("degraded", (1, "left_wrist")),
        ("cluster/merged", (8, 7)),
        ("cluster/split", (8, 7)),
        ("cluster/named", (7, "stroll")),
        ("cluster/forgotten", (9,)),
        ("segment/ended", (1, 7, "walk", pytest.approx(0.1))),
        ("gap", (pytest.approx(0.7),)),
        ("restarted", ("its clock was set",)),
    ]


def test_every_kind_of_event_has_a_row_and_its_arguments_are_as_many_as_the_row_says() -> None:
    assert set(ARGUMENTS) == set(KINDS.values())
    for event in EVERY_EVENT:
        _, words, values = ARGUMENTS[type(event)]
        types = {int: "i", float: "f", str: "s"}
        assert [types[type(value)] for value in values(Message("r", 1, "s", event), event)] == [
            word[-1] for word in words.split(", ")
        ]


def test_a_port_that_nobody_has_open_is_down_until_somebody_has() -> None:
    port = free_port()
    under_way = Relay("osc:a", Osc(f"127.0.0.1:{port}"))
    for event in finals(50):
        under_way.sink(INFO).write(event)
    wait_until(lambda: under_way.state.down_since is not None)
    with receiver(port) as came:
        under_way.close()
        wait_until(lambda: len(came) >= 50)
    assert list(dict.fromkeys(values[-1] for _, values in came)) == [f"{came[0][1][-1][:-2]}-{n}" for n in range(1, 51)]  # type: ignore[index]  # the id is a text


@pytest.mark.skipif(sys.platform != "linux", reason="loopback has no broadcast")
def test_a_broadcast_is_allowed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.255.255.255", 0))  # where loopback's broadcasts arrive
        there.settimeout(10)
        outlet = Osc(f"127.255.255.255:{there.getsockname()[1]}")
        outlet.send([Message("r", 1, "s", finals(1)[0])])
        assert there.recv(2000).startswith(b"/motionscribe/s/label")
        outlet.close()


def test_an_answer_is_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(10)
        under_way = Relay("osc:b", Osc(f"127.0.0.1:{there.getsockname()[1]}"))
        for event in finals(3):
            under_way.sink(INFO).write(event)
            _, sender = there.recvfrom(2000)
            there.sendto(b"thank you", sender)
        under_way.close()
    assert (under_way.state.sent, under_way.state.repeated) == (3, 0)


@pytest.mark.parametrize("address", ["", "host", "host:", "host:x", ":9000", "host:0", "host:65536", "a..b:9000"])
def test_what_is_no_address_is_an_error(address: str) -> None:
    with pytest.raises(BadFile, match="expected osc:HOST:PORT"):
        Osc(address)


def test_without_python_osc_the_error_is_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pythonosc.osc_message_builder", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[osc\]"'):
        Osc("host:9000")
