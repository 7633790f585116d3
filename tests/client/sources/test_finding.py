"""What is streaming here is found, whoever else fails or hangs, and what is in use is said to be."""

import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tests.support import made_feed
from tests.support.feeds import as_places
from tests.support.made_feed import MADE, MadeSender, open_made
from tests.support.udp_ports import free_port

from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe.sources import datagrams, schemes
from motionscribe.sources.finding import Found, find_all, find_by_listening
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment
from motionscribe.sources.sending import play
from motionscribe_models.errors import MissingExtraError


def find_long(seconds: float) -> list[Found]:
    return [Found(200 * "n", "a long name")]


def find_nothing(seconds: float) -> list[Found]:
    raise MissingExtraError("lsl", "Lab Streaming Layer")


@contextmanager
def sending(port: int, people: int = 1) -> Iterator[None]:
    """Somebody who walks, at 60 Hz."""
    recordings = [as_places(perform([("walk", 1.0)], 0, 60.0).recording)] * people
    stopped = threading.Event()
    sender = MadeSender(recordings, f"127.0.0.1:{port}")
    arguments = {"repeat": True, "stopped": stopped}
    thread = threading.Thread(target=play, args=(recordings, sender), kwargs=arguments, daemon=True)
    thread.start()
    yield
    stopped.set()
    thread.join(20)


def test_who_sends_is_found_and_let_go() -> None:
    port = free_port()
    with sending(port, people=2):
        (found,) = find_by_listening(open_made, f"127.0.0.1:{port}", 5.0)
        (again,) = find_by_listening(open_made, f"127.0.0.1:{port}", 5.0)
    assert (found.address, found.description, found.joints) == (f"127.0.0.1:{port}", "2 people, positions", 15)
    assert 40 < found.rate_hz < 80
    assert again.usable


def test_where_nobody_sends_nothing_is_found() -> None:
    assert find_by_listening(open_made, f"127.0.0.1:{free_port()}", 0.2) == []


def test_where_nobody_answers_nothing_is_found() -> None:
    class Refused:
        where, rate_hz, strange = "a server", 0.0, 0

        def moments(self) -> Generator[Moment | None, None, None]:
            yield None
            socket.create_connection(("127.0.0.1", free_port()))

    assert find_by_listening(lambda address, rate_hz: LiveFeed("refused", Refused()), "here", 5.0) == []


def test_a_port_of_another_program_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "FREE_S", 0.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert find_by_listening(open_made, address, 1.0) == [Found(address, "in use by another program", usable=False)]


def test_one_that_fails_or_hangs_stops_no_other() -> None:
    hung = threading.Event()

    def fails(seconds: float) -> list[Found]:
        raise ValueError("no such card")

    def hangs(seconds: float) -> list[Found]:
        hung.wait(20)
        return []

    begun = time.monotonic()
    outcomes = find_all({"a": fails, "b": hangs, "c": lambda seconds: [Found("x", "y")]}, 0.1)
    assert time.monotonic() - begun < 5
    hung.set()
    assert outcomes == {"a": "no such card", "b": "no answer in time", "c": [Found("x", "y")]}


def test_the_command_names_the_command_to_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(made_feed, "PORT", free_port())
    broken = replace(MADE, name="broken", finder="nowhere:nothing")
    long = replace(MADE, name="long", finder=f"{__name__}:find_long")
    lacking = replace(MADE, name="lacking", finder=f"{__name__}:find_nothing")
    made = replace(MADE, finder="tests.support.made_feed:find_made")
    monkeypatch.setattr(schemes, "SCHEMES", (made, broken, lacking))
    assert main(["sources", "--seconds", "0.2"]) == 0
    out = capsys.readouterr().out
    assert "nothing is streaming here that made, broken can hear" in out
    assert out.splitlines()[-1] == 'not looked for: lacking, which pip install "motionscribe[lsl]" adds'
    monkeypatch.setattr(schemes, "SCHEMES", (made, broken, long))
    with sending(made_feed.PORT):
        assert main(["sources"]) == 0
    out = capsys.readouterr().out
    letters = "".join(line.split("│")[1].strip() for line in out.splitlines() if line.count("│") > 1)
    assert 200 * "n" in letters, "no command is cut"
    row = next(line for line in out.splitlines() if "motionscribe stream made" in line)
    assert f"motionscribe stream made:127.0.0.1:{made_feed.PORT} " in row
    assert "1 person, positions" in row
    assert " 15 " in row
    assert "broken: could not look: No module named 'nowhere'" in out
