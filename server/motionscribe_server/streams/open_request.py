"""What an Open asks for, checked before anything is done for it.

In: the message, its tenant. Out: an OpenRequest, or an error that says which field is wrong. Models are found later.
"""

import math
import re
from dataclasses import dataclass

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.errors import RequestError, UnsupportedError
from motionscribe_server.session.options import LAGS, Lag, SessionOptions
from motionscribe_server.stream_keys import key_of

STREAM_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# its state is all ours; river's is not
KEPT_CLUSTERER = "dpmeans"
LAG_OF: dict[int, Lag] = {
    pb.LAG_UNSPECIFIED: SessionOptions().lag,
    **{pb.Lag.Value(f"LAG_{lag.upper()}"): lag for lag in LAGS},
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


def read_open(request: pb.Open, tenant: str, clusterer: str) -> OpenRequest:
    """The request of a tenant to a server whose streams have this clusterer. Raises RequestError, UnsupportedError."""
    if not STREAM_ID.fullmatch(request.stream_id):
        raise RequestError(f"expected a stream id of 1 to 128 of A-Z a-z 0-9 . _ -, got {request.stream_id[:200]!r}")
    durable = request.delivery == pb.DELIVERY_DURABLE
    if not durable and request.delivery not in (pb.DELIVERY_UNSPECIFIED, pb.DELIVERY_LIVE):
        raise RequestError(f"expected live or durable delivery, got {request.delivery}")
    if durable and clusterer != KEPT_CLUSTERER:
        raise UnsupportedError(f"expected live delivery: clusters of {clusterer} cannot be kept")
    if not (0 <= request.rate_hz < math.inf):
        raise RequestError(f"expected a rate of 0 or more Hz, got {request.rate_hz}")
    if request.lag not in LAG_OF:
        raise RequestError(f"expected a lag of {', '.join(map(str, LAG_OF))}, got {request.lag}")
    options = SessionOptions(LAG_OF[request.lag], request.provisional, clusterer, request.rate_hz)
    return OpenRequest(key_of(tenant, request.stream_id), request, options, durable)
