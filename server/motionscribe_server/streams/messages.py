"""Values of the server as messages, where the codec of both sides does not know them."""

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.engine.messages import SessionClusters
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.streams.live_stream import LiveStream

RETRY_AFTER_MS = 1000


def cluster_to_message(cluster: ClusterState) -> pb.Cluster:
    """A cluster without its centre."""
    return pb.Cluster(
        id=cluster.id,
        name=cluster.name,
        merged_into=cluster.merged_into,
        warm=cluster.warm,
        weight=cluster.weight,
        created_us=cluster.created_us,
        last_seen_us=cluster.last_seen_us,
        segments=cluster.segments,
        seconds=cluster.seconds,
    )


def opened(stream: LiveStream, resumed: bool, credits: int, known: SessionClusters) -> pb.Opened:
    """The answer to an Open."""
    return pb.Opened(
        session=stream.name,
        resume_token=stream.token,
        epoch=stream.epoch,
        resumed=resumed,
        next_seq=stream.next_seq,
        credits=credits,
        model=stream.model.to_message(),
        latency_us=stream.model.latency_us(stream.lag),
        clusters=map(cluster_to_message, known.clusters),
    )


def go_away(token: str, reason: str) -> pb.StreamResponse:
    """The last answer to an owner that should come back."""
    return pb.StreamResponse(go_away=pb.GoAway(reason=reason, resume_token=token, retry_after_ms=RETRY_AFTER_MS))
