"""The blocking client: AsyncClient on an event loop in a thread of its own."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from concurrent.futures import wait
from types import TracebackType
from typing import Generic, Literal, Self, TypeVar, overload

import grpc

from motionscribe.async_client import DEFAULT_ADDRESS, AsyncClient
from motionscribe.connection.backoff import Backoff
from motionscribe.connection.stream import AsyncStream
from motionscribe.connection.watch import AsyncWatch
from motionscribe.descriptions import Cluster, KeptAnomaly, Model, Opened, StreamInfo
from motionscribe.exemplars import ClusterMap, Exemplars
from motionscribe.explanations import Explanation
from motionscribe.false_alarms import FalseAlarms
from motionscribe.loop_thread import Future, LoopThread, finish
from motionscribe.poses import Poses
from motionscribe.sources import AnySource
from motionscribe_models.lags import Lag
from motionscribe_proto.events import Event
from motionscribe_proto.verdicts import Verdict

ItemT_co = TypeVar("ItemT_co", covariant=True)


class _Closing(ABC):
    """A context manager that closes itself."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Ends what was begun."""


class Client(_Closing):
    """A connection to one server; a context manager. Arguments, answers and errors are those of AsyncClient."""

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        plaintext: bool = False,
        token: str | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._loop = LoopThread("motionscribe-client")
        self._client = AsyncClient(address, credentials=credentials, plaintext=plaintext, token=token, backoff=backoff)

    @property
    def address(self) -> str:
        """host:port of the server."""
        return self._client.address

    def close(self) -> None:
        """Ends all streams and the connection. A second time does nothing."""
        if not self._loop.closed:
            self._loop.wait(self._client.close())
            self._loop.close()

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
    ) -> "Stream":
        """Opens a stream and returns the iterator of its events: see AsyncClient.stream."""
        stream = self._client.stream(
            source,
            stream_id=stream_id,
            model=model,
            version=version,
            lag=lag,
            provisional=provisional,
            false_alarms_per_hour=false_alarms_per_hour,
            anomaly_scores=anomaly_scores,
            durable=durable,
            block=block,
            realtime=realtime,
        )
        self._loop.wait(stream.open())
        return Stream(self._loop, stream)

    @overload
    def watch(self, stream_id: str, *, provisional: bool = True, poses: Literal[False] = False) -> "Watch[Event]": ...

    @overload
    def watch(self, stream_id: str, *, provisional: bool = True, poses: bool) -> "Watch[Event | Poses]": ...

    def watch(self, stream_id: str, *, provisional: bool = True, poses: bool = False) -> "Watch[Event | Poses]":
        """Follows somebody else's live stream from now until it ends: see AsyncClient.watch. Raises NotFound."""
        watch = self._client.watch(stream_id, provisional=provisional, poses=poses)
        self._loop.wait(watch.open())
        return Watch(self._loop, watch)

    def streams(self) -> list[StreamInfo]:
        """The caller's streams that are at the server, live or waiting to be resumed, in order of their ids."""
        return self._loop.wait(self._client.streams())

    def models(self) -> list[Model]:
        """All models, every version."""
        return self._loop.wait(self._client.models())

    def describe(self, name: str, version: str = "latest") -> Model:
        """One model. Raises UnknownModel."""
        return self._loop.wait(self._client.describe(name, version))

    def clusters(self, stream_id: str) -> list[Cluster]:
        """Clusters of a stream, merged ones included. Raises NotFound."""
        return self._loop.wait(self._client.clusters(stream_id))

    def rename(self, stream_id: str, cluster: int, name: str) -> Cluster:
        """Gives a cluster a name; an empty one takes it away. Raises NotFound."""
        return self._loop.wait(self._client.rename(stream_id, cluster, name))

    def merge(self, stream_id: str, sources: Sequence[int], into: int) -> Cluster:
        """Makes clusters `sources` part of cluster `into`. Raises NotFound."""
        return self._loop.wait(self._client.merge(stream_id, sources, into))

    def split(self, stream_id: str, cluster: int) -> Cluster:
        """Undoes the merge of a cluster. Raises NotFound, BadRequest for one that nobody merged."""
        return self._loop.wait(self._client.split(stream_id, cluster))

    def exemplars(self, stream_id: str, cluster: int) -> Exemplars:
        """What a cluster looks like. Raises NotFound."""
        return self._loop.wait(self._client.exemplars(stream_id, cluster))

    def map(self, stream_id: str) -> ClusterMap:
        """Where the clusters of a live stream, and its newest moments, lie in a plane. Raises NotFound."""
        return self._loop.wait(self._client.map(stream_id))

    def anomalies(self, stream_id: str) -> list[KeptAnomaly]:
        """The newest anomalies of a stream, in ascending order of id. Raises NotFound."""
        return self._loop.wait(self._client.anomalies(stream_id))

    def mark_anomaly(self, stream_id: str, anomaly: int, verdict: Verdict) -> KeptAnomaly:
        """Says that an anomaly was "normal" or a "fault": see AsyncClient.mark_anomaly. Raises NotFound."""
        return self._loop.wait(self._client.mark_anomaly(stream_id, anomaly, verdict))

    def explain(self, stream_id: str, segment: int = 0) -> Explanation:
        """Why a segment of a live stream has its label: see AsyncClient.explain. Raises NotFound."""
        return self._loop.wait(self._client.explain(stream_id, segment))

    def forget(self, stream_id: str) -> None:
        """Deletes all that the server keeps of a stream, which ends where it is live. Raises NotFound."""
        self._loop.wait(self._client.forget(stream_id))


class Stream(_Closing):
    """Iterator of events, made by Client.stream. Ends when every label is final; a context manager ends it early."""

    def __init__(self, loop: LoopThread, stream: AsyncStream) -> None:
        self._loop = loop
        self._stream = stream
        self._events: deque[Event] = deque()
        self._batch: Future[list[Event]] | None = None  # asked for, and not taken

    @property
    def opened(self) -> Opened:
        """What the server said when it opened the stream, on the latest connection."""
        return self._stream.opened

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        if not self._events:
            self._batch = self._batch or self._loop.begin(self._stream.batch())
            wait([self._batch])  # a signal handler may raise here: the batch is still there for the next time
            batch, self._batch = self._batch, None
            events: list[Event] = finish(batch)
            self._events.extend(events)
        if not self._events:
            raise StopIteration
        return self._events.popleft()

    def close(self) -> None:
        """Ends the call at once, whatever is on its way, and with it the iteration."""
        self._events.clear()
        if not self._loop.closed:  # then the stream is as well
            self._loop.wait(self._stream.close())


class Watch(_Closing, Generic[ItemT_co]):
    """Iterator of events, and of poses where asked, made by Client.watch.

    Ends when the stream does; a context manager ends it early.
    """

    def __init__(self, loop: LoopThread, watch: AsyncWatch[ItemT_co]) -> None:
        self._loop = loop
        self._watch = watch

    @property
    def start_us(self) -> int | None:
        """Time of the stream's first frame; None where there was none yet or the server cannot say."""
        return self._watch.start_us

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ItemT_co:
        item = self._loop.wait(_next(self._watch))
        if item is None:
            raise StopIteration
        return item

    def close(self) -> None:
        """Ends the call at once, and with it the iteration."""
        if not self._loop.closed:  # closing the client has ended it
            self._loop.wait(self._watch.close())


async def _next(watch: AsyncWatch[ItemT_co]) -> ItemT_co | None:
    return await anext(watch, None)
