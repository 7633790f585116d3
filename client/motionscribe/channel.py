"""The gRPC channel to a server: encryption off loopback, keepalive, little buffering, quick reconnection."""

import ipaddress

import grpc

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
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


def open_channel(
    address: str, credentials: grpc.ChannelCredentials | None = None, plaintext: bool = False
) -> grpc.Channel:
    """A channel to `address` (host:port).

    Plaintext on loopback, TLS elsewhere: with `credentials`, or the system's certificates. `plaintext` allows
    plaintext elsewhere.
    """
    if credentials is None and (plaintext or is_loopback(address)):
        return grpc.insecure_channel(address, OPTIONS)
    return grpc.secure_channel(address, credentials or grpc.ssl_channel_credentials(), OPTIONS)


def is_loopback(address: str) -> bool:
    """True where only this machine can answer at `address` (host:port, or unix:path)."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
