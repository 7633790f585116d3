"""Clusters over gRPC: list, describe, rename, merge and forget the clusters of a stream, live or not."""

from collections.abc import Sequence
from typing import Any

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import ClustersServicer
from motionscribe_server.access import Access
from motionscribe_server.answering import Context, answering
from motionscribe_server.clustering import ClusterState
from motionscribe_server.edits import Merge, Rename
from motionscribe_server.errors import NotFoundError, RequestError
from motionscribe_server.messages import cluster_to_message
from motionscribe_server.metrics import Metrics
from motionscribe_server.registry import Registry

LONGEST_NAME = 128


class ClustersService(ClustersServicer):
    """See segmentation.proto for the statuses."""

    def __init__(self, registry: Registry, access: Access, metrics: Metrics) -> None:
        self._registry = registry
        self._access = access
        self._metrics = metrics

    async def ListClusters(  # noqa: N802
        self, request: pb.ListClustersRequest, context: Context
    ) -> pb.ListClustersResponse:
        """All clusters of a stream, in ascending order of id, merged ones included."""
        async with answering(context, self._metrics):
            clusters = await self._registry.clusters(self._key(request, context))
            return pb.ListClustersResponse(clusters=map(cluster_to_message, clusters))
        raise AssertionError("unreachable: abort raises")

    async def DescribeCluster(self, request: pb.DescribeClusterRequest, context: Context) -> pb.Cluster:  # noqa: N802
        """One cluster."""
        async with answering(context, self._metrics):
            return _pick(await self._registry.clusters(self._key(request, context)), request.id)
        raise AssertionError("unreachable: abort raises")

    async def RenameCluster(self, request: pb.RenameClusterRequest, context: Context) -> pb.Cluster:  # noqa: N802
        """Gives or, with an empty name, takes a name; saved when this returns."""
        async with answering(context, self._metrics):
            if len(request.name) > LONGEST_NAME:
                raise RequestError(f"expected a name of at most {LONGEST_NAME} characters, got {len(request.name)}")
            clusters = await self._registry.edit(self._key(request, context), Rename(request.id, request.name))
            return _pick(clusters, request.id)
        raise AssertionError("unreachable: abort raises")

    async def MergeClusters(self, request: pb.MergeClustersRequest, context: Context) -> pb.Cluster:  # noqa: N802
        """Makes the sources part of the target; saved when this returns."""
        async with answering(context, self._metrics):
            if not request.sources:
                raise RequestError("expected at least one source, got none")
            clusters = await self._registry.edit(
                self._key(request, context), Merge(tuple(request.sources), request.target)
            )
            return _pick(clusters, request.target)
        raise AssertionError("unreachable: abort raises")

    async def ForgetStream(  # noqa: N802
        self, request: pb.ForgetStreamRequest, context: Context
    ) -> pb.ForgetStreamResponse:
        """Deletes all that is kept of a stream; it is gone when this returns."""
        async with answering(context, self._metrics):
            await self._registry.forget(self._key(request, context))
            return pb.ForgetStreamResponse()
        raise AssertionError("unreachable: abort raises")

    def _key(self, request: Any, context: Context) -> str:
        return self._access.key(context.invocation_metadata(), request.stream_id)


def _pick(clusters: Sequence[ClusterState], id: int) -> pb.Cluster:
    for cluster in clusters:
        if cluster.id == id:
            return cluster_to_message(cluster)
    raise NotFoundError(f"expected a cluster, one of {[cluster.id for cluster in clusters]}, got {id}")
