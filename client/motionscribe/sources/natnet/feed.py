"""OptiTrack Motive as a live feed: skeletons, or sets of labelled markers, by NatNet.

It speaks to the port for commands, learns there whether frames are multicast or sent to each client, and keeps asking:
a Motive that starts later, or again with other skeletons, is found. Times are the sender's, seconds to microseconds.
"""

import logging
import math
import select
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack, suppress

from motionscribe.feed_clock import now_us
from motionscribe.sources.base import Source
from motionscribe.sources.datagrams import BUFFER, LARGEST, WAIT_S
from motionscribe.sources.host_port import host_port
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment
from motionscribe.sources.natnet.packets import (
    CONNECT,
    Definitions,
    Message,
    ServerInfo,
    pack,
    read_definitions,
    read_frame,
    read_server_info,
    unpack,
)
from motionscribe.sources.natnet.people import People

log = logging.getLogger(__name__)

SERVER, COMMAND_PORT = "127.0.0.1", 1510
AGAIN_S = 0.25
"""How often it is asked what is not answered, and a sender told that somebody still listens."""
OLDEST = (3, 0)
JOIN_S = 1.0
"""How often it is tried to hear a group that cannot be heard."""
UP_AXIS = b"UpAxis\0"
UP = {2: "z"}
"""What Motive answers; y, its default, for all else."""
KNOWN = frozenset(Message)
FRAME = Message.FRAME.to_bytes(2, "little")
"""How one begins: frames may come from another port than the one that answers."""
LATEST_S = 1e12
"""Times beyond are none."""


def open_natnet(address: str, rate_hz: float | None = None) -> Source:
    """The address `natnet:SERVER` or `natnet:SERVER:COMMAND_PORT`. Raises NotFound for another."""
    return LiveFeed("natnet", NatNetReader(host_port(address, (SERVER, COMMAND_PORT))), rate_hz=rate_hz, several=True)


class NatNetReader:
    """See live_feed.Reader."""

    rate_hz = 0.0

    def __init__(self, server: tuple[str, int]) -> None:
        self.where = f"Motive (NatNet) at {server[0]}:{server[1]}"
        self.strange = 0
        self._server = server
        self._info: ServerInfo | None = None
        self._up = "y"
        self._definitions: Definitions | None = None
        self._people: People | None = None
        self._wanted = False
        """Definitions must be asked for."""
        self._said = ""
        """Why a group cannot be heard."""

    def moments(self) -> Generator[Moment | None, None, None]:
        """See live_feed.Reader."""
        with ExitStack() as joined, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as command:
            command.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            command.bind(("", 0))
            host = socket.gethostbyname(self._server[0])
            server, group, ports = (host, self._server[1]), None, [command]
            heard_s = asked_s = told_s = joined_s = -math.inf
            while True:
                now_s = time.monotonic()
                if now_s - told_s >= AGAIN_S:
                    told_s = now_s
                    lost = now_s - heard_s >= AGAIN_S
                    _send(command, server, pack(Message.CONNECT, CONNECT) if lost else pack(Message.KEEP_ALIVE))
                if self._wanted and now_s - asked_s >= AGAIN_S:
                    asked_s = now_s
                    _send(command, server, pack(Message.REQUEST, UP_AXIS))
                    _send(command, server, pack(Message.REQUEST_DEFINITIONS))
                if self._info and self._info.group != group and now_s - joined_s >= JOIN_S:
                    joined_s = now_s
                    joined.close()
                    other = self._hear(self._info.group, host)
                    ports = [command, joined.enter_context(other)] if other else [command]
                    group = self._info.group if other else None
                ready, _, _ = select.select(ports, [], [], WAIT_S)
                came = False
                for port in ready:
                    with suppress(ConnectionError):  # Windows says so of a port that was sent to
                        packet, sender = port.recvfrom(LARGEST)
                        is_motive = sender == server or (sender[0] == host and packet[:2] == FRAME)
                        moment, known = self.take(packet, now_us()) if is_motive else (None, False)
                        self.strange += not known
                        heard_s = now_s if known else heard_s
                        came |= moment is not None
                        if moment:
                            yield moment
                if not came:
                    yield None

    def _hear(self, group: tuple[str, int] | None, host: str) -> socket.socket | None:
        """A port for a group; None without one, and where it cannot be heard."""
        try:
            return _join(group, host) if group else None
        except OSError as error:
            if str(error) != self._said:
                self._said = str(error)
                log.warning("natnet: %s", error)
            return None

    def take(self, packet: bytes, arrived_us: int) -> tuple[Moment | None, bool]:
        """The moment in a packet, if there is one, and whether it is NatNet's at all."""
        try:
            message, content = unpack(packet)
            if message == Message.SERVER_INFO:
                self._greet(read_server_info(content))
            elif message == Message.RESPONSE:
                if len(content) == 4:
                    self._stand(UP.get(int.from_bytes(content, "little"), "y"))
            elif message == Message.DEFINITIONS:
                if self._info:
                    self._define(read_definitions(content, self._info.version))
            elif message == Message.FRAME:
                return self._see(content, arrived_us), True
            elif message not in KNOWN:
                return None, False
        except ValueError:
            return None, False
        return None, True

    def _greet(self, info: ServerInfo) -> None:
        if info.version < OLDEST:
            if self._info is None or self._info.version != info.version:
                log.warning("natnet: expected NatNet 3 or later, of Motive 2, got %d.%d", *info.version)
        else:
            self._wanted = True
        self._info = info

    def _stand(self, up: str) -> None:
        if up != self._up:
            self._up = up
            if self._definitions:
                self._define(self._definitions)

    def _define(self, definitions: Definitions) -> None:
        """Skeletons that are the same as before stay the same persons: they are equal."""
        self._wanted, self._definitions = False, definitions
        self._people = People(definitions, self._up)
        self.strange += self._people.strange

    def _see(self, content: bytes, arrived_us: int) -> Moment | None:
        """None before it is known whom frames are of."""
        if self._info is None or self._info.version < OLDEST:
            return None
        frame = read_frame(content, self._info.version)
        if not abs(frame.seconds) < LATEST_S:
            raise ValueError("expected a time")
        if self._people is None:
            return None
        self._wanted |= not self._people.knows(frame)
        return Moment(round(frame.seconds * 1e6), arrived_us, list(self._people.bodies(frame)))


def _send(port: socket.socket, server: tuple[str, int], packet: bytes) -> None:
    with suppress(OSError):  # no network at the moment is no other than a sender that is silent
        port.sendto(packet, server)


def _join(group: tuple[str, int], host: str) -> socket.socket:
    """A port that hears a multicast group, by the network in which the host is. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((host, group[1]))
        here = way.getsockname()[0]
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # other programs may listen to the group as well
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        port.bind(("", group[1]))
        port.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group[0]) + socket.inet_aton(here)
        )
    except OSError as error:
        port.close()
        raise OSError(error.errno, f"multicast {group[0]}:{group[1]}: {error.strerror}") from error
    return port
