"""Events as Open Sound Control by UDP, for games, Unity and stages: `osc:HOST:PORT`. Needs the extra `osc`.

The address is /motionscribe/STREAM/KIND, the arguments are those of ARGUMENTS, and the last one is the message's id.
UDP knows no delivery: what is on its way when the receiver goes is lost. Only that nobody listens at all is found out,
where the other machine says so (ICMP port unreachable, RFC 1122 section 4.1.3.3). Facts: OSC 1.0, opensoundcontrol.org.
"""

import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from motionscribe import events
from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.endpoint import parse_endpoint
from motionscribe.sinks.message import Message
from motionscribe.sinks.outlet import Outlet
from motionscribe.sinks.relay import relayed
from motionscribe_models.errors import MissingExtraError
from motionscribe_proto.names import escape

ANSWER_S = 0.05
"""So long a port that is not open has to say so, when nothing was sent to it before."""
PACE_S = 0.01
"""Between full batches, so that the receiver's buffer takes what has waited."""
RESERVED = str.maketrans(" #*,/?[]{}", "_" * 10)
"""What OSC keeps for patterns."""

Row = tuple[str, str, Callable[[Message, Any], tuple[int | float | str, ...]]]


def _joined(joints: Sequence[str]) -> str:
    return escape(", ".join(joints))


ARGUMENTS: Mapping[type[events.Event], Row] = {
    events.Label: (
        *("label", "cluster i, name s, stability f, final i"),
        lambda message, e: (e.cluster, escape(message.name), e.stability, int(e.final)),
    ),
    events.SegmentStarted: (
        *("segment/started", "segment i, cluster i, name s"),
        lambda _, e: (e.segment, e.cluster, escape(e.name)),
    ),
    events.SegmentEnded: (
        *("segment/ended", "segment i, cluster i, name s, seconds f"),
        lambda _, e: (e.segment, e.cluster, escape(e.name), (e.end_us - e.start_us) / 1e6),
    ),
    events.Anomaly: (
        *("anomaly", "kind s, phase s, joints s, false alarms per hour f, anomaly i"),
        lambda _, e: (escape(e.kind), escape(e.phase), _joined(e.joints), e.false_alarms_per_hour, e.anomaly),
    ),
    events.AnomalyScores: (
        *("anomaly/scores", "sensor f, motion f, behaviour f"),
        lambda _, e: (e.sensor, e.motion, e.behaviour),
    ),
    events.Degraded: ("degraded", "ongoing i, joints s", lambda _, e: (int(e.ongoing), _joined(e.joints))),
    events.ClusterCreated: ("cluster/created", "cluster i", lambda _, e: (e.cluster,)),
    events.ClusterMerged: ("cluster/merged", "source i, target i", lambda _, e: (e.source, e.target)),
    events.ClusterSplit: ("cluster/split", "cluster i, target i", lambda _, e: (e.cluster, e.target)),
    events.ClusterNamed: ("cluster/named", "cluster i, name s", lambda _, e: (e.cluster, escape(e.name))),
    events.ClusterTableFull: ("cluster/forgotten", "cluster i", lambda _, e: (e.cluster,)),
    events.Gap: ("gap", "seconds f", lambda _, e: ((e.end_us - e.start_us) / 1e6,)),
    events.Restarted: ("restarted", "reason s", lambda _, e: (escape(e.reason),)),
}
"""Event -> the end of its address, its arguments for people, and their values. All are of 32 bits: i, f, s."""


@contextmanager
def open_osc(address: str) -> Iterator[MakeSink]:
    """What stands after `osc:`. Raises BadFile, MissingExtraError."""
    with relayed(f"osc:{address}", Osc(address)) as make:
        yield make


class Osc(Outlet):
    """One receiver; one datagram an event."""

    most = 20

    def __init__(self, address: str) -> None:
        try:
            from pythonosc.osc_message_builder import OscMessageBuilder
        except ImportError as error:
            raise MissingExtraError("osc", "Open Sound Control") from error
        self._builder: Any = OscMessageBuilder
        self._endpoint = parse_endpoint(f"//{address}", "osc:HOST:PORT")
        self.where = f"osc:{self._endpoint}"
        self._socket: socket.socket | None = None

    def send(self, messages: Sequence[Message]) -> None:
        """Raises OSError where the receiver's machine says that nobody listens."""
        fresh = self._socket is None
        channel = self._socket or self._connect()
        try:
            for message in messages:
                channel.send(self._encode(message))
            if select.select([channel], [], [], ANSWER_S if fresh else 0)[0]:
                channel.recv(1)  # raises what ICMP has said; an answer of somebody who is there says nothing
        except OSError:
            self.close()
            raise
        if len(messages) == self.most:
            time.sleep(PACE_S)

    def close(self) -> None:
        """Nothing is on its way here that needs waiting for."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        """Only a socket that is connected hears what ICMP says."""
        family, kind, protocol, _, there = socket.getaddrinfo(
            self._endpoint.host, self._endpoint.port, type=socket.SOCK_DGRAM
        )[0]
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # a stage may listen everywhere
        self._socket.connect(there)
        return self._socket

    def _encode(self, message: Message) -> bytes:
        kind, _, values = ARGUMENTS[type(message.event)]
        builder = self._builder(f"/motionscribe/{message.stream.translate(RESERVED)}/{kind}")
        for value in (*values(message, message.event), message.id):
            builder.add_arg(value, {int: "i", float: "f", str: "s"}[type(value)])
        datagram: bytes = builder.build().dgram
        return datagram
