"""Explanations over gRPC: why a segment of a live stream has its label.

In: a stream id and a segment. Out: the weights of joints and of parts of the time. Nothing is changed or kept.
"""

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import ExplanationsServicer
from motionscribe_server.rpc.calls import Context, RpcCalls
from motionscribe_server.streams.messages import explanation_to_message
from motionscribe_server.streams.registry import Registry


class ExplanationsService(ExplanationsServicer):
    """See segmentation.proto for the statuses."""

    def __init__(self, registry: Registry, calls: RpcCalls) -> None:
        self._registry = registry
        self._calls = calls

    async def Explain(self, request: pb.ExplainRequest, context: Context) -> pb.Explanation:  # noqa: N802
        """Computed by a worker of its own."""
        async with self._calls(context, f"Explain {request.segment}", request) as call:
            return explanation_to_message(await self._registry.explain(call.key, request.segment))
        raise AssertionError("unreachable: abort raises")
