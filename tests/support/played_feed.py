"""The command line streams a feed that a simulator plays: from the first frame on until the server has some."""

import threading
from collections.abc import Sequence

import pytest
from tests.support.any_width import AnyWidthServer
from tests.support.waiting import wait_until

from motionscribe.cli import main
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.schemes import parse_address
from motionscribe.sources.sending import play
from motionscribe_models.recordings import Recording

SILENCE_S = 0.5


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
