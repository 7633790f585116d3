"""Anomalies over gRPC: list those that are kept of a stream, live or not, and say of one that it was normal or a fault.

In: requests with a stream id. Out: anomalies after the change, which is saved by then.
"""

from collections.abc import Iterable

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import VERDICT_NUMBERS
from motionscribe_proto.segmentation_pb2_grpc import AnomaliesServicer
from motionscribe_proto.verdicts import Verdict
from motionscribe_server.errors import NotFoundError, RequestError
from motionscribe_server.rpc.calls import Context, RpcCalls
from motionscribe_server.session.anomaly_book import KeptAnomaly
from motionscribe_server.session.edits import Mark
from motionscribe_server.streams.messages import anomaly_to_message
from motionscribe_server.streams.registry import Registry

VERDICTS: dict[int, Verdict] = {number: name for name, number in VERDICT_NUMBERS.items()}


class AnomaliesService(AnomaliesServicer):
    """See segmentation.proto for the statuses."""

    def __init__(self, registry: Registry, calls: RpcCalls) -> None:
        self._registry = registry
        self._calls = calls

    async def ListAnomalies(  # noqa: N802
        self, request: pb.ListAnomaliesRequest, context: Context
    ) -> pb.ListAnomaliesResponse:
        """All that are kept of a stream, in ascending order of id."""
        async with self._calls(context, "ListAnomalies", request) as call:
            learnt = await self._registry.learnt(call.key)
            return pb.ListAnomaliesResponse(anomalies=map(anomaly_to_message, learnt.book.unpack()))
        raise AssertionError("unreachable: abort raises")

    async def MarkAnomaly(self, request: pb.MarkAnomalyRequest, context: Context) -> pb.KeptAnomaly:  # noqa: N802
        """Says what an anomaly was, or takes it back; saved when this returns. The audit log has the words."""
        action = f"MarkAnomaly {request.anomaly} {VERDICTS.get(request.verdict, request.verdict)}"
        async with self._calls(context, action, request) as call:
            if request.verdict not in VERDICTS:
                raise RequestError(f"expected a verdict, {' or '.join(VERDICT_NUMBERS)}, got {request.verdict}")
            learnt = await self._registry.edit(call.key, Mark(request.anomaly, VERDICTS[request.verdict]))
            return anomaly_to_message(_pick(learnt.book.unpack(), request.anomaly))
        raise AssertionError("unreachable: abort raises")


def _pick(anomalies: Iterable[KeptAnomaly], id: int) -> KeptAnomaly:
    for kept in anomalies:
        if kept.event.anomaly == id:
            return kept
    raise NotFoundError(f"expected an anomaly that is kept, got {id}")
