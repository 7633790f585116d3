"""What the serving process and its workers say to each other, and how it is framed on their private socket.

Pickle is safe here, and only here: both ends are this program, and nobody else can open the socket.
"""

import pickle
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from motionscribe_proto.events import Event
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.edits import Edit
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.options import SessionOptions

LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Start:
    """The first message to a worker: what it loads and how it computes."""

    models: Path
    model_keys: Path | None
    load: tuple[tuple[str, str], ...]
    """Names and versions."""
    variant: Literal["auto", "fp32", "int8"]
    batch_sizes: tuple[int, ...]
    threads: int
    log_level: str


@dataclass(frozen=True)
class EngineInfo:
    """How a model runs in a worker."""

    variant: str
    provider: str
    description: str
    """One line for the log."""
    refusals: tuple[str, ...]
    """Why what would have been preferred is not running."""


Hello = dict[str, EngineInfo]
"""A worker's first message, engines by model key; in place of it an exception where it cannot start."""


class SessionClusters(NamedTuple):
    """A session's clusters and the first id that it never gave."""

    next_cluster: int
    clusters: Sequence[ClusterState]


class OpenSession(NamedTuple):
    """A new session that begins with stored clusters, or one that goes on from a snapshot. Answered by SessionClusters.

    Nothing that a durable session tells depends on load.
    """

    session: int
    model: str
    options: SessionOptions
    known: SessionClusters
    durable: bool = False
    snapshot: bytes | None = None


class ListClusters(NamedTuple):
    """Answered by SessionClusters."""

    session: int


class EditClusters(NamedTuple):
    """Answered by SessionClusters; the events come before it."""

    session: int
    edit: Edit


Request = OpenSession | ListClusters | EditClusters


class Ask(NamedTuple):
    """A request that wants a Reply of this number."""

    number: int
    request: Request


class TakeFrames(NamedTuple):
    """Frames that the serving process has checked; nobody checks them again."""

    session: int
    block: CheckedBlock


class CloseSession(NamedTuple):
    """No frames follow."""

    session: int


class TakeSnapshot(NamedTuple):
    """Answered with a snapshot as soon as all frames so far are computed."""

    session: int


class ForgetSession(NamedTuple):
    """Nobody wants answers any more."""

    session: int


Order = Ask | TakeFrames | CloseSession | TakeSnapshot | ForgetSession


class Reply(NamedTuple):
    """To the Ask of this number."""

    number: int
    value: SessionClusters | Exception


class Answer(NamedTuple):
    """What became of a session's frames."""

    session: int
    blocks: int = 0
    """TakeFrames that are computed now and were not before."""
    windows: int = 0
    events: Sequence[Event] = ()
    closed: bool = False
    error: Exception | None = None
    """The session is lost."""
    snapshot: bytes | None = None
    """Of the session after all blocks so far, and all their events."""


class Turn(NamedTuple):
    """What a worker did in one go."""

    streams: int
    """Computed together; 0 where nothing was computed."""
    seconds: float
    shedding: Shedding
    """What those who still wait have to expect."""
    answers: Sequence[Answer]


def pack(messages: Sequence[Any]) -> bytes:
    """Messages as bytes."""
    body = pickle.dumps(messages, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


class Unpacker:
    """Bytes as they come to messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """The messages that `data` completes."""
        self._buffer += data
        messages: list[Any] = []
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            end = LENGTH.size + length
            if len(self._buffer) < end:
                break
            messages += pickle.loads(bytes(self._buffer[LENGTH.size : end]))
            del self._buffer[:end]
        return messages
