"""The asyncio client: streams, models, clusters, anomalies, explanations of one server. The blocking Client uses it."""

import asyncio
import re
import secrets
from collections.abc import Sequence
from operator import index
from types import TracebackType
from typing import Any, Literal, Self, SupportsIndex, overload

import grpc

from motionscribe.connection.backoff import Backoff
from motionscribe.connection.channel import open_channel
from motionscribe.connection.stream import AsyncStream
from motionscribe.connection.watch import AsyncWatch, read_events, read_events_and_poses
from motionscribe.descriptions import (
    Cluster,
    KeptAnomaly,
    Model,
    StreamInfo,
    anomaly_from_message,
    cluster_from_message,
    model_from_message,
    stream_from_message,
)
from motionscribe.errors import ERRORS, MODEL_ERRORS, BadRequest, StatusErrors, from_status
from motionscribe.exemplars import ClusterMap, Exemplars, exemplars_from_message, map_from_message
from motionscribe.explanations import Explanation, explanation_from_message
from motionscribe.false_alarms import FalseAlarms, false_alarms_to_message
from motionscribe.pacing import Pacer
from motionscribe.poses import Poses
from motionscribe.sources import AnySource, Source, as_source
from motionscribe_models.lags import LAGS, Lag
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import LAG_NUMBERS, VERDICT_NUMBERS
from motionscribe_proto.events import Event
from motionscribe_proto.segmentation_pb2_grpc import (
    AnomaliesStub,
    ClustersStub,
    ExplanationsStub,
    ModelsStub,
    SegmentationStub,
)
from motionscribe_proto.verdicts import Verdict

DEFAULT_ADDRESS = "127.0.0.1:50051"
# short requests are answered from memory: a server that takes longer is not there
ANSWER_S = 10.0
EXPLAINED_S = 60.0
"""The first explanation waits until a worker has loaded the models, and for those that were asked before."""


class AsyncClient:
    """A connection to one server; an async context manager.

    Plaintext on loopback and TLS elsewhere, with `credentials` or the system's certificates, unless `plaintext` allows
    otherwise. `token` says who calls, to a server with tenants. The connection is made with the first call. Errors are
    those of errors.py.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        plaintext: bool = False,
        token: str | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.address = address
        self._backoff = backoff or Backoff()
        self._channel = open_channel(address, credentials, plaintext, token)
        # generated code has no types
        self._segmentation: Any = SegmentationStub(self._channel)
        self._models: Any = ModelsStub(self._channel)
        self._clusters: Any = ClustersStub(self._channel)
        self._anomalies: Any = AnomaliesStub(self._channel)
        self._explanations: Any = ExplanationsStub(self._channel)
        self._streams: list[AsyncStream] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all streams and the connection."""
        for stream in self._streams:
            await stream.close()
        self._channel.close()

    def stream(
        self,
        source: AnySource,
        *,
        stream_id: str | None = None,
        model: str = "",
        version: str = "latest",
        lag: Lag = "balanced",
        provisional: bool = True,
        false_alarms_per_hour: FalseAlarms | None = None,
        anomaly_scores: bool = False,
        durable: bool = False,
        block: int | None = None,
        realtime: float | None = None,
    ) -> AsyncStream:
        """Sends the frames of `source` and yields what the server finds in them, as frozen events.

        stream_id    1 to 128 of A-Z a-z 0-9 . _ -; names of clusters belong to it. None makes one up.
        model        empty: the server's only one
        lag          how long the server waits before a label is final: "fast", "balanced" or "stable"
        provisional  also yield labels that may still change
        false_alarms_per_hour
                     how many may be expected of each kind of anomaly: a number for all kinds, or a mapping with some of
                     the keys "sensor", "motion" and "behaviour". Default: 0.5
        anomaly_scores
                     also yield AnomalyScores, how normal each moment is
        durable      the server keeps checkpoints: events come exactly once even where it dies; frames are kept here
                     until they are in one
        block        frames a message; None: a tenth of a second
        realtime     1 sends a recording at its own pace, 2 at twice that; None as fast as the server takes it

        Lost connections are resumed: every event comes once. An event counts as handled when the next is asked for.
        """
        if lag not in LAGS:
            raise BadRequest(f"expected lag to be one of {', '.join(LAGS)}, got {lag!r}")
        if block is not None and block < 1:
            raise BadRequest(f"expected 1 frame a message or more, got {block}")
        pacer = None if realtime is None else Pacer(realtime)
        source = as_source(source)
        request = pb.Open(
            stream_id=stream_id or _made_up_id(source),
            model=model,
            version=version,
            provisional=provisional,
            false_alarms_per_hour=false_alarms_to_message(false_alarms_per_hour),
            anomaly_scores=anomaly_scores,
            lag=LAG_NUMBERS[lag],
            delivery=pb.DELIVERY_DURABLE if durable else pb.DELIVERY_LIVE,
        )
        stream = AsyncStream(
            self._segmentation, self.address, self.describe, request, source, block, pacer, self._backoff
        )
        self._streams = [other for other in self._streams if not other.done] + [stream]
        return stream

    @overload
    def watch(
        self, stream_id: str, *, provisional: bool = True, poses: Literal[False] = False
    ) -> AsyncWatch[Event]: ...

    @overload
    def watch(self, stream_id: str, *, provisional: bool = True, poses: bool) -> AsyncWatch[Event | Poses]: ...

    def watch(self, stream_id: str, *, provisional: bool = True, poses: bool = False) -> AsyncWatch[Event | Poses]:
        """Events of somebody else's live stream, from now until it ends. Raises NotFound where it is not live.

        poses  also yield Poses, what the owner sends: the newest where not all can be sent in time
        """
        request = pb.WatchRequest(stream_id=stream_id, provisional=provisional, poses=poses)
        read = read_events_and_poses if poses else read_events
        return AsyncWatch(self._segmentation, self.address, request, read)

    async def streams(self) -> list[StreamInfo]:
        """The caller's streams that are at the server, live or waiting to be resumed, in order of their ids."""
        answer = await self._ask(self._segmentation.ListStreams, pb.ListStreamsRequest())
        return [stream_from_message(message) for message in answer.streams]

    async def models(self) -> list[Model]:
        """All models, every version."""
        answer = await self._ask(self._models.ListModels, pb.ListModelsRequest())
        return [model_from_message(message) for message in answer.models]

    async def describe(self, name: str, version: str = "latest") -> Model:
        """One model. Raises UnknownModel."""
        request = pb.DescribeModelRequest(name=name, version=version)
        return model_from_message(await self._ask(self._models.DescribeModel, request, MODEL_ERRORS))

    async def clusters(self, stream_id: str) -> list[Cluster]:
        """Clusters of a stream, merged ones included. Raises NotFound."""
        request = pb.ListClustersRequest(stream_id=stream_id)
        answer = await self._ask(self._clusters.ListClusters, request)
        return [cluster_from_message(message) for message in answer.clusters]

    async def rename(self, stream_id: str, cluster: int, name: str) -> Cluster:
        """Gives a cluster a name; an empty one takes it away. Raises NotFound."""
        request = pb.RenameClusterRequest(stream_id=stream_id, id=_id(cluster), name=name)
        return cluster_from_message(await self._ask(self._clusters.RenameCluster, request))

    async def merge(self, stream_id: str, sources: Sequence[int], into: int) -> Cluster:
        """Makes clusters `sources` part of cluster `into`. Raises NotFound."""
        request = pb.MergeClustersRequest(stream_id=stream_id, sources=map(_id, sources), target=_id(into))
        return cluster_from_message(await self._ask(self._clusters.MergeClusters, request))

    async def split(self, stream_id: str, cluster: int) -> Cluster:
        """Undoes the merge of a cluster. Raises NotFound, BadRequest for one that nobody merged."""
        request = pb.SplitClusterRequest(stream_id=stream_id, id=_id(cluster))
        return cluster_from_message(await self._ask(self._clusters.SplitCluster, request))

    async def exemplars(self, stream_id: str, cluster: int) -> Exemplars:
        """What a cluster looks like. Raises NotFound."""
        request = pb.ListExemplarsRequest(stream_id=stream_id, id=_id(cluster))
        return exemplars_from_message(await self._ask(self._clusters.ListExemplars, request))

    async def map(self, stream_id: str) -> ClusterMap:
        """Where the clusters of a live stream, and its newest moments, lie in a plane. Raises NotFound."""
        request = pb.MapClustersRequest(stream_id=stream_id)
        return map_from_message(await self._ask(self._clusters.MapClusters, request))

    async def anomalies(self, stream_id: str) -> list[KeptAnomaly]:
        """The newest anomalies of a stream, in ascending order of id. Raises NotFound."""
        answer = await self._ask(self._anomalies.ListAnomalies, pb.ListAnomaliesRequest(stream_id=stream_id))
        return [anomaly_from_message(message) for message in answer.anomalies]

    async def mark_anomaly(self, stream_id: str, anomaly: int, verdict: Verdict) -> KeptAnomaly:
        """Says that an anomaly was "normal", and is no alarm any more, or a "fault"; "none" takes it back.

        Raises NotFound.
        """
        if verdict not in VERDICT_NUMBERS:
            raise BadRequest(f"expected a verdict, one of {', '.join(VERDICT_NUMBERS)}, got {verdict!r}")
        anomaly = _number(anomaly, "an anomaly", 64)
        request = pb.MarkAnomalyRequest(stream_id=stream_id, anomaly=anomaly, verdict=VERDICT_NUMBERS[verdict])
        return anomaly_from_message(await self._ask(self._anomalies.MarkAnomaly, request))

    async def explain(self, stream_id: str, segment: int = 0) -> Explanation:
        """Why a segment of the newest 20 s of a live stream has its label; 0 is its newest. Raises NotFound."""
        request = pb.ExplainRequest(stream_id=stream_id, segment=_number(segment, "a segment", 64))
        return explanation_from_message(await self._ask(self._explanations.Explain, request, timeout_s=EXPLAINED_S))

    async def forget(self, stream_id: str) -> None:
        """Deletes all that the server keeps of a stream, which ends where it is live. Raises NotFound."""
        await self._ask(self._clusters.ForgetStream, pb.ForgetStreamRequest(stream_id=stream_id))

    async def _ask(self, method: Any, request: Any, errors: StatusErrors = ERRORS, timeout_s: float = ANSWER_S) -> Any:
        try:
            return await asyncio.to_thread(method, request, timeout=timeout_s)
        except grpc.RpcError as error:
            raise from_status(error, self.address, errors) from error


def _id(cluster: int) -> int:
    """An id that a cluster can have. Raises BadRequest."""
    return _number(cluster, "a cluster", 32)


def _number(value: int, what: str, bits: int) -> int:
    """A number as the wire can carry it; NumPy's are taken, too. Raises BadRequest."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or not 0 <= index(value) < 2**bits:
        raise BadRequest(f"expected the number of {what}, got {value!r}")
    return index(value)


def _made_up_id(source: Source) -> str:
    """The source's name as far as a stream id allows it, and something nobody else has."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', source.name)[:100]}-{secrets.token_hex(4)}"
