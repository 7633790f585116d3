"""A server that answers every frame with a final label and misbehaves on purpose: what the client is tested against.

Frame n with first value c becomes Label(n, n + 1, ..., cluster=c). Acts say how each connection goes, one after the
other; after the last act all goes well. On a resume it sends all that is not acknowledged again, whatever the client
says it has, so that a client that does not count events yields some twice.
"""

import math
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import grpc

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_to_messages, frames_from_message
from motionscribe_proto.events import Event, Label, SegmentEnded, SegmentStarted
from motionscribe_proto.segmentation_pb2_grpc import (
    ClustersServicer,
    ModelsServicer,
    SegmentationServicer,
    add_ClustersServicer_to_server,
    add_ModelsServicer_to_server,
    add_SegmentationServicer_to_server,
)

COLUMNS = ("cluster", "noise")
POSES = pb.Poses(first_seq=60, timestamps_us=[590_000, 600_000], values=struct.pack("<4f", 1, 0.5, 1, math.nan))
"""What a watcher sees first who asks for poses."""


@dataclass(frozen=True)
class Act:
    """How one connection goes."""

    after_frames: int = 0
    """What follows happens when this many frames came on this connection."""
    status: grpc.StatusCode | None = None
    """End the call with this status; before Opened when after_frames is 0."""
    go_away: bool = False
    """Say GoAway before that."""
    silent: bool = False
    """Frames are received on this connection, their events only sent on the next."""
    forget: bool = False
    """The session is lost before this connection."""
    say: pb.StreamResponse | None = None
    """Sent before anything else."""
    until_acknowledged: bool = False
    """End the call only when the client has acknowledged every event."""


@dataclass
class ServerSession:
    """What the scripted server knows of a stream."""

    token: str
    epoch: int = 0
    received_seq: int = 0
    acknowledged: int = 0
    allowance: int = 0
    """Frames the client may still send."""
    events: list[Event] = field(default_factory=list)


class ScriptedServer(SegmentationServicer, ModelsServicer, ClustersServicer):
    """Runs on a free port of loopback while the context lasts."""

    def __init__(self, *acts: Act, credits: int = 1000, next_seq: int = 1) -> None:
        self.acts = list(acts)
        self.credits = credits
        self.next_seq = next_seq
        self.address = "127.0.0.1:0"
        self.opens: list[pb.Open] = []
        self.blocks: list[int] = []
        """Frames of each message that came."""
        self.sessions: dict[str, ServerSession] = {}
        self.names: dict[int, str] = {1: "walk", 2: ""}

    def __enter__(self) -> Self:
        self._server = grpc.server(ThreadPoolExecutor(8))
        add_SegmentationServicer_to_server(self, self._server)
        add_ModelsServicer_to_server(self, self._server)
        add_ClustersServicer_to_server(self, self._server)
        port = self._server.add_insecure_port(self.address)
        self.address = f"127.0.0.1:{port}"
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Cuts every connection."""
        self._server.stop(0).wait()

    def restart(self) -> None:
        """Cuts every connection and comes back on the same port, with the sessions it had."""
        self.stop()
        self.__enter__()

    # ---- streams ----

    def Stream(  # noqa: N802
        self, requests: Iterator[pb.StreamRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.StreamResponse]:
        act = self.acts.pop(0) if self.acts else Act()
        if act.say:
            yield act.say
        if act.status and not act.after_frames:
            context.abort(act.status, "refused on purpose")
        opening = next(requests).open
        self.opens.append(opening)
        session = self.sessions.get(opening.resume_token)
        resumed = session is not None and not act.forget
        if session is None or not resumed:
            session = ServerSession(f"token-{len(self.sessions) + 1}", received_seq=self.next_seq - 1)
            self.sessions[session.token] = session
        session.epoch += 1
        session.allowance = self.credits
        yield pb.StreamResponse(
            opened=pb.Opened(
                session="scripted",
                resume_token=session.token,
                epoch=session.epoch,
                resumed=resumed,
                next_seq=session.received_seq + 1,
                credits=self.credits,
                model=self.model(),
                latency_us=500_000,
            )
        )
        yield self._update(session, session.acknowledged, 0)
        came, closing = 0, False
        for request in requests:
            known = len(session.events)
            match request.WhichOneof("message"):
                case "frames":
                    frames = self._receive(session, request.frames)
                    came += frames
                    yield self._update(session, len(session.events) if act.silent else known, frames)
                    if act.after_frames and came >= act.after_frames:
                        if act.go_away:
                            away = pb.GoAway(reason="on purpose", resume_token=session.token, retry_after_ms=1)
                            yield pb.StreamResponse(go_away=away)
                        context.abort(act.status or grpc.StatusCode.UNAVAILABLE, "dropped on purpose")
                case "ack":
                    session.acknowledged = max(session.acknowledged, request.ack.last_event)
                case "close":
                    closing = True
            if closing and (session.acknowledged == len(session.events) or not act.until_acknowledged):
                return

    def _receive(self, session: ServerSession, message: pb.Frames) -> int:
        block = frames_from_message(message, len(COLUMNS), len(COLUMNS))
        assert block.first_seq > session.received_seq, "frames came twice"
        assert len(block) <= session.allowance, "more frames than credits"
        session.allowance -= len(block)
        self.blocks.append(len(block))
        for row, time_us in enumerate(block.timestamps_us.tolist()):
            seq, cluster = block.first_seq + row, int(block.values[row, 0])
            session.events.append(Label(seq, seq + 1, time_us, time_us + 1, cluster, 1.0, True))
        session.received_seq = block.next_seq - 1
        return len(block)

    def _update(self, session: ServerSession, known: int, credits: int) -> pb.StreamResponse:
        """The events after number `known`, and further credits."""
        session.allowance += credits
        update = pb.Update(
            first_event=known + 1,
            events=[message for event in session.events[known:] for message in events_to_messages([event])],
            received_seq=session.received_seq,
            durable_seq=session.received_seq,
            credits=credits,
        )
        return pb.StreamResponse(update=update)

    def Watch(  # noqa: N802
        self, request: pb.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamResponse]:
        if request.stream_id != "live":
            context.abort(grpc.StatusCode.NOT_FOUND, f"expected the stream 'live', got {request.stream_id!r}")
        if request.poses:
            yield pb.StreamResponse(poses=POSES)
        events: list[Event] = [SegmentStarted(1, 1, "walk", 1, 0), SegmentEnded(1, 1, "walk", 1, 61, 0, 500_000)]
        for number, event in enumerate(events, 7):
            yield pb.StreamResponse(update=pb.Update(first_event=number, events=events_to_messages([event])))

    def ListStreams(  # noqa: N802
        self, request: pb.ListStreamsRequest, context: grpc.ServicerContext
    ) -> pb.ListStreamsResponse:
        model = self.model()
        return pb.ListStreamsResponse(
            streams=[
                pb.LiveStreamInfo(
                    stream_id=stream_id,
                    model=model.name,
                    version=model.version,
                    skeleton=model.skeleton,
                    rate_hz=50,
                    has_owner=stream_id == "live",
                    received_seq=61,
                )
                for stream_id in ("live", "lost")
            ]
        )

    # ---- models and clusters ----

    def model(self) -> pb.Model:
        skeleton = pb.Skeleton(name="two", joints=COLUMNS, parents=[-1, -1], representation="features", rate_hz=100)
        return pb.Model(
            name="echo",
            version="2",
            skeleton=skeleton,
            columns=COLUMNS,
            rate_hz=100,
            window=50,
            stride=5,
            latency_us={"fast": 100_000, "balanced": 500_000},
            metrics={"accuracy": 0.5},
            variant="fp32",
            provider="CPUExecutionProvider",
            description="answers what it is told",
        )

    def ListModels(  # noqa: N802
        self, request: pb.ListModelsRequest, context: grpc.ServicerContext
    ) -> pb.ListModelsResponse:
        return pb.ListModelsResponse(models=[self.model()])

    def DescribeModel(self, request: pb.DescribeModelRequest, context: grpc.ServicerContext) -> pb.Model:  # noqa: N802
        if request.name not in ("", "echo"):
            context.abort(grpc.StatusCode.NOT_FOUND, f"expected the model 'echo', got {request.name!r}")
        return self.model()

    def ListClusters(  # noqa: N802
        self, request: pb.ListClustersRequest, context: grpc.ServicerContext
    ) -> pb.ListClustersResponse:
        if not self.names:
            context.abort(
                grpc.StatusCode.NOT_FOUND, f"expected a stream that is live or was, got {request.stream_id!r}"
            )
        clusters = [pb.Cluster(id=id, name=name, seconds=1.5, segments=2) for id, name in self.names.items()]
        return pb.ListClustersResponse(clusters=clusters)

    def RenameCluster(  # noqa: N802
        self, request: pb.RenameClusterRequest, context: grpc.ServicerContext
    ) -> pb.Cluster:
        if request.id not in self.names:
            context.abort(grpc.StatusCode.NOT_FOUND, f"expected one of the clusters 1, 2, got {request.id}")
        if len(request.name) > 128:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expected at most 128 characters")
        self.names[request.id] = request.name
        return pb.Cluster(id=request.id, name=request.name)

    def MergeClusters(  # noqa: N802
        self, request: pb.MergeClustersRequest, context: grpc.ServicerContext
    ) -> pb.Cluster:
        for source in request.sources:
            self.names.pop(source)
        return pb.Cluster(id=request.target, name=self.names[request.target])

    def ForgetStream(  # noqa: N802
        self, request: pb.ForgetStreamRequest, context: grpc.ServicerContext
    ) -> pb.ForgetStreamResponse:
        self.names.clear()
        return pb.ForgetStreamResponse()
