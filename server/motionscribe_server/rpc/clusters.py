"""Clusters over gRPC: list, show, rename, merge and split the clusters of a stream, live or not; delete the stream.

In: requests with a stream id. Out: clusters after the change, which is saved by then.
"""

from collections.abc import Sequence

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.names import hidden_in
from motionscribe_proto.segmentation_pb2_grpc import ClustersServicer
from motionscribe_server.errors import NotFoundError, RequestError
from motionscribe_server.rpc.calls import Context, RpcCalls
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.edits import Merge, Rename, Split
from motionscribe_server.streams.messages import cluster_to_message, exemplars_to_message, map_to_message
from motionscribe_server.streams.registry import Registry


class ClustersService(ClustersServicer):
    """See segmentation.proto for the statuses."""

    def __init__(self, registry: Registry, calls: RpcCalls) -> None:
        self._registry = registry
        self._calls = calls

    async def ListClusters(  # noqa: N802
        self, request: pb.ListClustersRequest, context: Context
    ) -> pb.ListClustersResponse:
        """All clusters of a stream, in ascending order of id, merged ones included."""
        async with self._calls(context, "ListClusters", request) as call:
            learnt = await self._registry.learnt(call.key)
            return pb.ListClustersResponse(clusters=map(cluster_to_message, learnt.clusters))
        raise AssertionError("unreachable: abort raises")

    async def DescribeCluster(self, request: pb.DescribeClusterRequest, context: Context) -> pb.Cluster:  # noqa: N802
        """One cluster."""
        async with self._calls(context, "DescribeCluster", request) as call:
            return _pick((await self._registry.learnt(call.key)).clusters, request.id)
        raise AssertionError("unreachable: abort raises")

    async def RenameCluster(self, request: pb.RenameClusterRequest, context: Context) -> pb.Cluster:  # noqa: N802
        """Gives or, with an empty name, takes a name; saved when this returns."""
        async with self._calls(context, "RenameCluster", request) as call:
            _check_name(request.name)
            learnt = await self._registry.edit(call.key, Rename(request.id, request.name))
            return _pick(learnt.clusters, request.id)
        raise AssertionError("unreachable: abort raises")

    async def MergeClusters(self, request: pb.MergeClustersRequest, context: Context) -> pb.Cluster:  # noqa: N802
        """Makes the sources part of the target; saved when this returns."""
        async with self._calls(context, "MergeClusters", request) as call:
            if not request.sources:
                raise RequestError("expected at least one source, got none")
            learnt = await self._registry.edit(call.key, Merge(tuple(request.sources), request.target))
            return _pick(learnt.clusters, request.target)
        raise AssertionError("unreachable: abort raises")

    async def SplitCluster(self, request: pb.SplitClusterRequest, context: Context) -> pb.Cluster:  # noqa: N802
        """Undoes a merge; saved when this returns."""
        async with self._calls(context, "SplitCluster", request) as call:
            learnt = await self._registry.edit(call.key, Split(request.id))
            return _pick(learnt.clusters, request.id)
        raise AssertionError("unreachable: abort raises")

    async def ListExemplars(  # noqa: N802
        self, request: pb.ListExemplarsRequest, context: Context
    ) -> pb.ListExemplarsResponse:
        """What a cluster looks like."""
        async with self._calls(context, "ListExemplars", request) as call:
            model, clusters = await self._registry.clusters_with_model(call.key)
            _pick(clusters, request.id)
            return exemplars_to_message(model, clusters, request.id)
        raise AssertionError("unreachable: abort raises")

    async def MapClusters(self, request: pb.MapClustersRequest, context: Context) -> pb.ClusterMap:  # noqa: N802
        """Where clusters and newest moments lie; computed by the stream's worker."""
        async with self._calls(context, "MapClusters", request) as call:
            model, found = await self._registry.map(call.key)
            return map_to_message(model, found)
        raise AssertionError("unreachable: abort raises")

    async def ForgetStream(  # noqa: N802
        self, request: pb.ForgetStreamRequest, context: Context
    ) -> pb.ForgetStreamResponse:
        """Deletes all that is kept of a stream; it is gone when this returns."""
        async with self._calls(context, "ForgetStream", request) as call:
            await self._registry.forget(call.key)
            return pb.ForgetStreamResponse()
        raise AssertionError("unreachable: abort raises")


def _check_name(name: str) -> None:
    """Raises RequestError for a name that others should not be shown."""
    if hidden := hidden_in(name):
        raise RequestError(f"expected a name of visible characters, got {hidden}")


def _pick(clusters: Sequence[ClusterState], id: int) -> pb.Cluster:
    for cluster in clusters:
        if cluster.id == id:
            return cluster_to_message(cluster)
    raise NotFoundError(f"expected a cluster, one of {[cluster.id for cluster in clusters]}, got {id}")
