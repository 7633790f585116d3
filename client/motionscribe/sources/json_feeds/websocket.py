"""Joints as JSON from somebody's WebSocket server, as a live feed. In: the address `ws:HOST:PORT/PATH`, or `wss:`.

Connects, and connects again when the server has gone, until the feed has been silent for too long. A message is a
frame, as decoding.py has it, whether it is sent as text or as bytes.
"""

import logging
import time
from collections.abc import Generator
from typing import Any

from motionscribe.errors import NotFound
from motionscribe.feed_clock import now_us
from motionscribe.sources.host_port import bare_host
from motionscribe.sources.json_feeds.decoding import LARGEST, Decoder, StrangeMessageError
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment
from motionscribe_models.errors import MissingExtraError

log = logging.getLogger(__name__)
QUIET = logging.getLogger(f"{__name__}.library")
"""The library prints the stack where an answer surprises it; we say what happened ourselves."""
QUIET.setLevel(logging.CRITICAL)

WAIT_S = 0.1
SHORTEST_S, LONGEST_S = 0.1, 2.0
"""From one try to connect to the next: doubled each time."""
OPENING_S = 2.0
"""How long a server may take to answer: a feed cannot be closed meanwhile."""
CLOSING_S = 0.5
LONGEST_REASON = 200
"""Letters: a server may have written it."""
REFUSED = (1007, 1009)
"""Codes by which we end a connection: of text that is none, and of a message that is too large."""


def load_websockets() -> Any:
    """The package websockets. Raises MissingExtraError."""
    try:
        import websockets.exceptions
        import websockets.sync.client
        import websockets.uri
    except ImportError as error:
        raise MissingExtraError("websocket", "a WebSocket") from error
    return websockets


def open_ws(address: str, rate_hz: float | None = None) -> LiveFeed:
    """The address `ws:HOST:PORT/PATH`, or `ws://...`. Raises MissingExtraError, NotFound for what is no address."""
    return LiveFeed("ws", WebSocketReader("ws", address), rate_hz=rate_hz, several=True)


def open_wss(address: str, rate_hz: float | None = None) -> LiveFeed:
    """The same with TLS; the server needs a certificate that the system trusts."""
    return LiveFeed("wss", WebSocketReader("wss", address), rate_hz=rate_hz, several=True)


class WebSocketReader:
    """Reads one server."""

    rate_hz = 0.0

    def __init__(self, scheme: str, address: str) -> None:
        self._library = load_websockets()
        self._uri = f"{scheme}://{address.removeprefix('//')}"
        try:
            place = self._library.uri.parse_uri(self._uri)
        except (ValueError, self._library.exceptions.InvalidURI) as error:  # ValueError: of a port
            raise NotFound(f"expected {scheme}:HOST:PORT/PATH, got {scheme}:{address}") from error
        bare_host(place.host)
        self.where = f"JSON from a WebSocket server at {place.host}:{place.port}{place.path}"
        self.strange = 0

    def moments(self) -> Generator[Moment | None, None, None]:
        """As live_feed.Reader has it."""
        decoder, pause_s, said = Decoder(), SHORTEST_S, set[str]()
        while True:
            connection = self._connect(said)
            if connection:
                with connection:
                    for moment in self._hear(connection, decoder):
                        pause_s = SHORTEST_S if moment else pause_s
                        yield moment
            tried = time.monotonic()
            while time.monotonic() < tried + pause_s:
                yield None
                time.sleep(WAIT_S)
            pause_s = min(2 * pause_s, LONGEST_S)

    def _connect(self, said: set[str]) -> Any:
        """A connection, or None. Each kind of reason is told once: `said` has those that were."""
        try:
            return self._library.sync.client.connect(
                self._uri,
                compression=None,
                proxy=None,
                open_timeout=OPENING_S,
                close_timeout=CLOSING_S,
                max_size=LARGEST,
                logger=QUIET,
            )
        except Exception as error:  # whatever the answer is, assertions of the library fail on some
            reason = type(error).__name__
            if reason not in said:
                said.add(reason)
                log.warning("%s: %s: %s", self.where, reason, str(error)[:LONGEST_REASON])
            return None

    def _hear(self, connection: Any, decoder: Decoder) -> Generator[Moment | None, None, None]:
        """What comes until the connection ends."""
        while True:
            try:
                message = connection.recv(timeout=WAIT_S, decode=False)
            except TimeoutError:
                yield None
                continue
            except self._library.exceptions.ConnectionClosed as closed:
                self.strange += closed.sent is not None and closed.sent.code in REFUSED
                return
            arrived_us = now_us()
            try:
                yield decoder.take(message, arrived_us)
            except StrangeMessageError:
                self.strange += 1
                yield None
