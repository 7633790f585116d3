"""Qualisys Track Manager (QTM) as a live feed: skeletons, or labelled markers, from its real-time server by TCP.

A QTM that is not there yet, or goes away, is called again. Times are the sender's, microseconds.
"""

import logging
import socket
import time
from collections.abc import Generator
from contextlib import closing

from motionscribe.feed_clock import now_us
from motionscribe.sources.base import Source
from motionscribe.sources.datagrams import WAIT_S
from motionscribe.sources.host_port import host_port
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment
from motionscribe.sources.qtm.conversation import VERSIONS, Conversation
from motionscribe.sources.qtm.packets import Kind, Packets, text

log = logging.getLogger(__name__)

HOST, PORT = "127.0.0.1", 22223
"""The port of little-endian packets."""
CONNECT_S = 1.0
PIECE = 1 << 16
AGAIN_S = 1.0
"""How often a silent QTM is asked who is there."""
DEAD_S = 5.0
"""One that does not even answer has gone without a word."""
FIRST_S, LONGEST_S = 0.2, 5.0
"""Pauses between calls, which double."""


def open_qtm(address: str, rate_hz: float | None = None) -> Source:
    """The address `qtm:HOST` or `qtm:HOST:PORT`. Raises NotFound for another."""
    return LiveFeed(
        "qtm", QtmReader(host_port(address, (HOST, PORT))), rate_hz=rate_hz, several=True, time_unit="microseconds"
    )


class QtmReader:
    """See live_feed.Reader."""

    rate_hz = 0.0
    """QTM tells the cameras' rate, of which it may send every second frame or fewer."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.where = f"QTM at {address[0]}:{address[1]}"
        self.strange = 0
        self._address = address
        self._told = False
        """That QTM is too old."""

    def moments(self) -> Generator[Moment | None, None, None]:
        """See live_feed.Reader."""
        pause_s = FIRST_S
        while True:
            port = self._connect()
            if port:
                with closing(port):
                    for moment in self._listen(port):
                        pause_s = FIRST_S if moment else pause_s
                        yield moment
            over_s = time.monotonic() + pause_s
            while (left_s := over_s - time.monotonic()) > 0:
                time.sleep(min(WAIT_S, left_s))
                yield None
            pause_s = min(2 * pause_s, LONGEST_S)

    def _connect(self) -> socket.socket | None:
        try:
            return socket.create_connection(self._address, CONNECT_S)
        except socket.gaierror:
            raise  # there is no such host, nor will there be
        except OSError:
            return None

    def _listen(self, port: socket.socket) -> Generator[Moment | None, None, None]:
        """Ends where the connection does."""
        packets, conversation = Packets(), Conversation(lambda words: port.sendall(text(Kind.COMMAND, words)))
        port.settimeout(WAIT_S)
        heard_s = asked_s = time.monotonic()
        seen_s = heard_s
        while True:
            now_s = time.monotonic()
            came = False
            try:
                if now_s - asked_s >= AGAIN_S and (conversation.wanted or now_s - seen_s >= AGAIN_S):
                    asked_s = now_s
                    conversation.ask()
                data = port.recv(PIECE)
                if not data:
                    break
                heard_s = now_s
                for kind, content in packets.take(data):
                    moment = self._take(conversation, kind, content)
                    if conversation.refused and not self._told:
                        self._told = True
                        log.warning("%s: expected protocol %s or later, which it refuses", self.where, VERSIONS[-1])
                    if moment:
                        came, seen_s = True, now_s
                        yield moment
            except TimeoutError:
                if now_s - heard_s > DEAD_S:
                    break
            except OSError:
                break
            except ValueError:
                self.strange += 1
                return
            if not came:
                yield None
        self.strange += packets.incomplete

    def _take(self, conversation: Conversation, kind: int, content: bytes) -> Moment | None:
        try:
            return conversation.take(kind, content, now_us())
        except ValueError:
            self.strange += 1
            return None
