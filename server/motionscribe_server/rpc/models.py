"""Models over gRPC: which models this server runs, and what frames they expect.

In: names and versions. Out: what the catalog has of them. Models are loaded in admin.py.
"""

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import ModelsServicer
from motionscribe_server.rpc.calls import Context, RpcCalls
from motionscribe_server.streams.catalog import Catalog


class ModelsService(ModelsServicer):
    """See segmentation.proto for the statuses."""

    def __init__(self, catalog: Catalog, calls: RpcCalls) -> None:
        self._catalog = catalog
        self._calls = calls

    async def ListModels(  # noqa: N802
        self, _request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        """All loaded models, by name and version."""
        async with self._calls(context, "ListModels"):
            return pb.ListModelsResponse(models=[model.to_message() for model in self._catalog.models])
        raise AssertionError("unreachable: abort raises")

    async def DescribeModel(self, request: pb.DescribeModelRequest, context: Context) -> pb.Model:  # noqa: N802
        """One model; the same rules for name and version as Open."""
        async with self._calls(context, "DescribeModel", request):
            return self._catalog.find(request.name, request.version).to_message()
        raise AssertionError("unreachable: abort raises")
