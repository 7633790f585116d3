"""Addresses of a sender that is asked for its frames: `HOST`, `HOST:PORT`, or nothing."""

from motionscribe.errors import NotFound


def host_port(address: str, default: tuple[str, int]) -> tuple[str, int]:
    """Host and port, those of `default` where `address` does not say. Port 0 is any free one, for whoever listens.

    Raises NotFound for what is no port.
    """
    host, colon, port = address.partition(":")
    if colon and not (port.isascii() and port.isdecimal() and int(port) < 65536):
        raise NotFound(f"expected HOST or HOST:PORT, a port from 0 to 65535, got {address!r}")
    return host or default[0], int(port) if colon else default[1]
