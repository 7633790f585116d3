"""What the serving process and its workers say to each other: values, and nothing else. codec.py makes them bytes.

The serving process sends Start, then orders. A worker answers with Ready or StartFailed, then with turns and replies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from motionscribe_proto.events import Event
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.cluster_map import ClusterMap
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.edits import Edit, PlacedEdit
from motionscribe_server.session.explanation import Explanation
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.recall import Recalled


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
    yields: bool = False
    """Once its models are loaded it computes when nothing else wants the processor."""


@dataclass(frozen=True)
class EngineInfo:
    """How a model runs in a worker."""

    variant: str
    provider: str
    description: str
    """One line for the log."""
    refusals: tuple[str, ...]
    """Why what would have been preferred is not running."""


class Ready(NamedTuple):
    """A worker's first message: its models are loaded."""

    engines: tuple[tuple[str, EngineInfo], ...]
    """Pairs of a model's key, name/version, and how it runs."""


class StartFailed(NamedTuple):
    """In place of it, where a model cannot be loaded; the worker ends."""

    error: Exception


class SessionClusters(NamedTuple):
    """A session's clusters, the first id that it never gave, and its anomalies."""

    next_cluster: int
    clusters: Sequence[ClusterState]
    book: PackedBook = PackedBook()


class OpenSession(NamedTuple):
    """A new session that begins with what is stored, or one that goes on from a snapshot. Answered by SessionClusters.

    A durable session's events never depend on load. `edits` were made after the snapshot, in ascending order of place:
    they are made again at their places.
    """

    session: int
    model: str
    options: SessionOptions
    known: SessionClusters
    durable: bool = False
    snapshot: bytes | None = None
    edits: Sequence[PlacedEdit] = ()


class ListClusters(NamedTuple):
    """Answered by SessionClusters."""

    session: int


class EditClusters(NamedTuple):
    """Answered by SessionClusters; the events come before it."""

    session: int
    edit: Edit


class RecallSegment(NamedTuple):
    """Answered by Recalled: a segment of a session, 0 for the newest."""

    session: int
    segment: int


class MapClusters(NamedTuple):
    """Answered by ClusterMap."""

    session: int


class ExplainSegment(NamedTuple):
    """Answered by Explanation, by any worker that has the model: no session is needed."""

    model: str
    recalled: Recalled


Request = OpenSession | ListClusters | EditClusters | RecallSegment | MapClusters | ExplainSegment
Value = SessionClusters | Recalled | ClusterMap | Explanation


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
    """Answered with a snapshot as soon as all frames so far are computed; later ones wait until then."""

    session: int


class ForgetSession(NamedTuple):
    """The session goes, at once and without an answer."""

    session: int


class Ping(NamedTuple):
    """Answered by a Turn, even where there is nothing to compute."""


Order = Ask | TakeFrames | CloseSession | TakeSnapshot | ForgetSession | Ping


class Reply(NamedTuple):
    """Answers the Ask of this number."""

    number: int
    value: Value | Exception


class Answer(NamedTuple):
    """What became of a session's frames.

    Of a durable session the events of one answer are always the same ones, however its frames came.
    """

    session: int
    blocks: int = 0
    """TakeFrames that are computed now and were not before."""
    windows: int = 0
    events: Sequence[Event] = ()
    closed: bool = False
    error: Exception | None = None
    """The session is lost."""
    snapshot: bytes | None = None
    """The session after all blocks so far, whose events were all sent by now."""
    edits: Sequence[PlacedEdit] = ()
    """Those that were made, or made again; before `events`."""


class Turn(NamedTuple):
    """What a worker did in one batch, and what it has to say by then."""

    streams: int
    """Computed together; 0 where nothing was computed."""
    seconds: float
    shedding: Shedding
    """What sessions that still wait have to expect."""
    answers: Sequence[Answer]


FromServer = Start | Order
FromWorker = Ready | StartFailed | Turn | Reply
Message = FromServer | FromWorker
