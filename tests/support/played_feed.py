"""Feeds that simulators play: what a reader hears of one, and what the command line streams of one."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing

import pytest
from tests.support.any_width import AnyWidthServer
from tests.support.waiting import PATIENCE_S, wait_until

from motionscribe.cli import main
from motionscribe.sources.live_feed import LiveFeed, Reader
from motionscribe.sources.moments import Moment
from motionscribe.sources.schemes import parse_address
from motionscribe.sources.sending import Sender, play
from motionscribe_models.recordings import Recording

SILENCE_S = 0.5
SILENCES = 100
"""Tenths of a second in which nothing comes, in all, before a test has waited in vain."""


def heard(reader: Reader, count: int, ready: Callable[[], None] = lambda: None) -> Generator[Moment, None, None]:
    """So many moments. `ready` is called when the first was waited for: a port is open by then."""
    silences = 0
    with closing(reader.moments()) as moments:
        for moment in moments:
            ready()
            if moment:
                yield moment
                count -= 1
            else:
                silences += 1
                assert silences < SILENCES, "waited in vain"
            if not count:
                return


def heard_of(reader: Reader, recordings: Sequence[Recording], open_sender: Callable[[], Sender]) -> list[Moment]:
    """All moments of recordings that are played, twenty times as fast as they are."""
    ready = threading.Event()

    def send() -> None:
        assert ready.wait(PATIENCE_S)
        play(recordings, open_sender(), speed=20.0)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        return list(heard(reader, len(recordings[0].frames), ready.set))
    finally:
        thread.join(PATIENCE_S)


def sent_until_heard(
    sender: Sender, moments: Iterator[Moment | None], time_us: int, rows: Sequence[int | None]
) -> Moment:
    """Sends a frame again and again until it is heard, with whoever is in it."""
    found: list[Moment] = []

    def heard() -> bool:
        sender.send(time_us, rows)
        moment = next(moments)
        if moment and moment.time_us == time_us and len(moment.bodies) == sum(row is not None for row in rows):
            found.append(moment)
        return bool(found)

    wait_until(heard)
    return found[0]


def stream_played(
    monkeypatch: pytest.MonkeyPatch, text: str, recordings: Sequence[Recording], *options: str, streams: int = 1
) -> AnyWidthServer:
    """What the server got of `motionscribe stream TEXT --stream-id stage OPTIONS` until each stream had frames.

    The feed ends when the simulator of the same address has been silent for half a second.
    """
    defaults = LiveFeed.__init__.__kwdefaults__ or {}
    monkeypatch.setattr(LiveFeed.__init__, "__kwdefaults__", {**defaults, "silence_s": SILENCE_S})
    stopped = threading.Event()
    scheme, address = parse_address(text)

    def send() -> None:
        play(recordings, scheme.open_sender(recordings, address), speed=2.0, repeat=True, stopped=stopped)

    def stop() -> None:
        wait_until(lambda: len(server.frames) == streams)
        stopped.set()

    with AnyWidthServer() as server:
        threads = [threading.Thread(target=send), threading.Thread(target=stop)]
        for thread in threads:
            thread.start()
        try:
            assert main(["stream", text, "--address", server.address, "--stream-id", "stage", "--json", *options]) == 0
        finally:
            stopped.set()
            for thread in threads:
                thread.join()
    return server
