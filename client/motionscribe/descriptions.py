"""What a server says of its models and streams, of clusters and anomalies, and of an opening. Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass

from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import VERDICT_NUMBERS, events_from_messages, skeleton_from_message
from motionscribe_proto.events import Anomaly
from motionscribe_proto.frames import WireError
from motionscribe_proto.verdicts import Verdict


@dataclass(frozen=True)
class Model:
    """A model that a server offers."""

    name: str
    version: str
    description: str
    skeleton: Skeleton
    columns: tuple[str, ...]
    """Names of the D columns of a frame, in order."""
    rate_hz: float
    """Frames reach the network at this rate; others are resampled."""
    window: int
    """Encoder length, frames at rate_hz."""
    stride: int
    """Frames between two windows."""
    latency_us: Mapping[str, int]
    """By lag preset: at source time t, final labels reach up to t minus this."""
    hidden: int
    projected: int
    variant: str
    """"fp32" or "int8": what the server runs."""
    provider: str
    """Execution provider of ONNX Runtime."""
    metrics: Mapping[str, float]
    """As measured by the trainer; the model's card says how."""


@dataclass(frozen=True)
class StreamInfo:
    """A stream that is at a server."""

    stream_id: str
    model: str
    version: str
    skeleton: Skeleton
    """The model's, which Poses have, whatever the owner sends."""
    rate_hz: float
    """Nominal rate of the owner's frames."""
    has_owner: bool
    """It can be watched; else it waits to be resumed."""
    received_seq: int
    """Frames up to this one arrived."""


@dataclass(frozen=True)
class Cluster:
    """A group of motion with a stable id. Times are microseconds of the source's clock."""

    id: int
    name: str
    """May be empty."""
    merged_into: int | None
    warm: bool
    """Came with the model."""
    weight: float
    """Decayed seconds of motion."""
    created_us: int | None
    """None for warm clusters."""
    last_seen_us: int | None
    """None when never seen in this stream."""
    segments: int
    seconds: float
    """Total length of the final segments."""
    guessed: bool = False
    """Nobody gave the name: it is what the motion plainly is, and may change."""


@dataclass(frozen=True)
class KeptAnomaly:
    """An anomaly that the server keeps, and what was said of it."""

    event: Anomaly
    """As it was told last or stands; seq and times are those of its session."""
    verdict: Verdict
    fired: Mapping[str, float]
    """The detectors that took part, and the largest deviation that each saw."""


@dataclass(frozen=True)
class Opened:
    """What the server said when it opened a stream."""

    stream_id: str
    session: str
    epoch: int
    """Grows with every reconnection."""
    resumed: bool
    model: Model
    latency_us: int
    """At source time t, final labels reach up to t minus this."""
    clusters: tuple[Cluster, ...]
    """Known before the first frame."""
    mapping: tuple[str, ...] = ()
    """Where the frames of another skeleton become the model's: how each joint does, for people."""


def model_from_message(message: pb.Model) -> Model:
    """Raises WireError for a skeleton without one parent per joint."""
    return Model(
        name=message.name,
        version=message.version,
        description=message.description,
        skeleton=skeleton_from_message(message.skeleton),
        columns=tuple(message.columns),
        rate_hz=message.rate_hz,
        window=message.window,
        stride=message.stride,
        latency_us=dict(message.latency_us),
        hidden=message.hidden,
        projected=message.projected,
        variant=message.variant,
        provider=message.provider,
        metrics=dict(message.metrics),
    )


def stream_from_message(message: pb.LiveStreamInfo) -> StreamInfo:
    """Raises WireError for a skeleton without one parent per joint."""
    return StreamInfo(
        stream_id=message.stream_id,
        model=message.model,
        version=message.version,
        skeleton=skeleton_from_message(message.skeleton),
        rate_hz=message.rate_hz,
        has_owner=message.has_owner,
        received_seq=message.received_seq,
    )


def cluster_from_message(message: pb.Cluster) -> Cluster:
    """Zeros that mean "none" become None."""
    return Cluster(
        id=message.id,
        name=message.name,
        merged_into=message.merged_into or None,
        warm=message.warm,
        weight=message.weight,
        created_us=None if message.warm else message.created_us,
        last_seen_us=message.last_seen_us or None,
        segments=message.segments,
        seconds=message.seconds,
        guessed=message.guessed,
    )


def anomaly_from_message(message: pb.KeptAnomaly) -> KeptAnomaly:
    """Raises WireError for a verdict that is none, or an anomaly of unequal parts."""
    (event,) = events_from_messages([pb.Event(anomaly=message.anomaly)])
    verdict = next((name for name, number in VERDICT_NUMBERS.items() if number == message.verdict), None)
    if not isinstance(event, Anomaly) or verdict is None:
        raise WireError(f"expected a verdict, got {message.verdict}: is the server newer?")
    return KeptAnomaly(event, verdict, dict(sorted(message.fired.items())))


def opened_from_message(stream_id: str, message: pb.Opened) -> Opened:
    """The resume token stays inside the client."""
    return Opened(
        stream_id=stream_id,
        session=message.session,
        epoch=message.epoch,
        resumed=message.resumed,
        model=model_from_message(message.model),
        latency_us=message.latency_us,
        clusters=tuple(cluster_from_message(cluster) for cluster in message.clusters),
        mapping=tuple(message.mapping),
    )
