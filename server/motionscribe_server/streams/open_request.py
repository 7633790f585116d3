"""What an Open asks for, checked before anything is done for it.

In: the message, its tenant. Out: an OpenRequest, or an error that says which field is wrong. Models are found later.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from motionscribe_models.lags import Lag
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import LAG_NUMBERS
from motionscribe_server.errors import RequestError
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.stream_keys import key_of

STREAM_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
LAG_BY_NUMBER: dict[int, Lag] = {
    pb.LAG_UNSPECIFIED: SessionOptions().lag,
    **{number: lag for lag, number in LAG_NUMBERS.items()},
}
"""By the number on the wire."""


@dataclass(frozen=True)
class OpenRequest:
    """A stream that a client wants, new or again."""

    key: str
    """Tenant and stream id (stream_keys.py)."""
    message: pb.Open
    options: SessionOptions
    durable: bool

    @property
    def id(self) -> str:
        """The stream id."""
        return str(self.message.stream_id)


def read_open(request: pb.Open, tenant: str) -> OpenRequest:
    """What a tenant asks for. Raises RequestError."""
    if not STREAM_ID.fullmatch(request.stream_id):
        raise RequestError(f"expected a stream id of 1 to 128 of A-Z a-z 0-9 . _ -, got {request.stream_id[:200]!r}")
    durable = request.delivery == pb.DELIVERY_DURABLE
    if not durable and request.delivery not in (pb.DELIVERY_UNSPECIFIED, pb.DELIVERY_LIVE):
        raise RequestError(f"expected live or durable delivery, got {request.delivery}")
    if not (0 <= request.rate_hz < math.inf):
        raise RequestError(f"expected a rate of 0 or more Hz, got {request.rate_hz}")
    if request.lag not in LAG_BY_NUMBER:
        lags = ", ".join(f"{number} ({lag})" for number, lag in LAG_BY_NUMBER.items())
        raise RequestError(f"expected a lag of {lags}, got {request.lag}; DescribeModel says how long each of them is")
    options = SessionOptions(
        LAG_BY_NUMBER[request.lag],
        request.provisional,
        request.rate_hz,
        **_read_false_alarms(request.false_alarms_per_hour),
        anomaly_scores=request.anomaly_scores,
    )
    return OpenRequest(key_of(tenant, request.stream_id), request, options, durable)


def _read_false_alarms(message: pb.FalseAlarms) -> dict[str, Any]:
    """Those options that are not left to their default. Raises RequestError."""
    asked = {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}
    for kind, per_hour in asked.items():
        if not (0 <= per_hour < math.inf):
            raise RequestError(f"expected 0 or more false alarms an hour of kind {kind}, got {per_hour}")
    return {f"{kind}_false_alarms": per_hour for kind, per_hour in asked.items() if per_hour}
