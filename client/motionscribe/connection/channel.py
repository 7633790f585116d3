"""The gRPC channel to a server: encryption off loopback, keepalive, little buffering, quick reconnection."""

from collections.abc import Callable
from typing import Any

import grpc

from motionscribe.errors import BadRequest
from motionscribe_proto.addresses import is_loopback

OPTIONS = (
    # live frames must not wait in buffers of several MB: without probing, gRPC keeps to the 64 kB of HTTP/2
    ("grpc.http2.bdp_probe", 0),
    # a dead connection is noticed 20 + 5 s after the last answer
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    # gRPC waits up to two minutes between attempts of its own, a live stream cannot
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # despite its name, how long an attempt may take
    ("grpc.min_reconnect_backoff_ms", 3_000),
)
RESOLVERS = {"dns", "ipv4", "ipv6", "unix", "unix-abstract", "xds"}
"""What may stand before an address, with a colon."""


def open_channel(
    address: str, credentials: grpc.ChannelCredentials | None = None, plaintext: bool = False, token: str | None = None
) -> grpc.Channel:
    """A channel to `address` (host:port) whose calls bring `token`.

    Plaintext on loopback, TLS elsewhere: with `credentials`, or the system's certificates. `plaintext` allows
    plaintext elsewhere. Raises BadRequest for what is no address.
    """
    check_address(address)
    if credentials is None and (plaintext or is_local(address)):
        channel = grpc.insecure_channel(address, OPTIONS)
    else:
        channel = grpc.secure_channel(address, credentials or grpc.ssl_channel_credentials(), OPTIONS)
    return grpc.intercept_channel(channel, _Bearer(token)) if token else channel


def check_address(address: str) -> None:
    """Raises BadRequest for anything but host:port and gRPC's own forms: it would look in the strangest places."""
    if address.partition(":")[0] in RESOLVERS:
        return
    host, colon, port = address.rpartition(":")
    if not (colon and host.strip("[]") and "/" not in host and port.isdecimal() and 0 < int(port) < 2**16):
        raise BadRequest(f"expected an address HOST:PORT, as in 127.0.0.1:50051, got {address!r}")


def is_local(address: str) -> bool:
    """True where only this machine can answer at `address` (host:port, or unix:path)."""
    return address.startswith("unix:") or is_loopback(address.rpartition(":")[0].strip("[]"))


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]  # grpc has no types
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]  # grpc has no types
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc]  # grpc has no types
):
    """Adds the token to every call; call credentials would want TLS on loopback as well."""

    def __init__(self, token: str) -> None:
        self._metadata = ("authorization", f"Bearer {token}")

    def _continue(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:
        metadata = [*(details.metadata or ()), self._metadata]
        return continuation(details._replace(metadata=metadata), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_stream = _continue
