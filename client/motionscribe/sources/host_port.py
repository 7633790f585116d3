"""Addresses of a sender that is asked for its frames: `HOST`, `HOST:PORT`, or nothing. IPv6 as `[::1]:PORT`."""

from motionscribe.errors import NotFound


def host_port(address: str, default: tuple[str, int]) -> tuple[str, int]:
    """Host and port, those of `default` where `address` does not say. Port 0 is any free one, for whoever listens.

    Raises NotFound for what is no port, and for what can be no host.
    """
    within = address.rpartition("]")[0]
    host, colon, port = address[len(within) :].partition(":")
    if colon and not (port.isascii() and port.isdecimal() and int(port) < 65536):
        raise NotFound(f"expected HOST or HOST:PORT, a port from 0 to 65535, got {address!r}")
    return bare_host(within + host) or default[0], int(port) if colon else default[1]


def bare_host(host: str) -> str:
    """A host without the brackets of IPv6. Raises NotFound for what no host can be called."""
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    try:
        host.encode("idna")  # as each call of the system does, which raises what is no OSError
    except UnicodeError:
        raise NotFound(f"expected the name of a host, got {host[:80]!r}") from None
    if "\0" in host:
        raise NotFound(f"expected the name of a host, got {host[:80]!r}")
    return host
