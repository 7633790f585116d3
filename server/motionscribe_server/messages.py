"""Values of the server as messages, where the codec of both sides does not know them."""

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.clustering import ClusterState


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
