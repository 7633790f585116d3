"""Datagrams of a UDP port, each with the time when it came. What they hold is the reader's matter."""

import socket
import time
from collections.abc import Generator
from contextlib import closing

from motionscribe.errors import NotFound
from motionscribe.feed_clock import now_us
from motionscribe.sources.host_port import bare_host

WAIT_S = 0.1
LARGEST = 65536
BUFFER = 1 << 22
"""What the system keeps while nobody reads, where it allows so much."""
FREE_S = 1.0
"""How long a port may still be that of the reader before."""


def port_of(address: str, default: int) -> tuple[str, int]:
    """`HOST:PORT`, `PORT`, or nothing: the address to listen on, all of this machine's where no host is named.

    Raises NotFound for what is no port, and for what can be no host.
    """
    if not address:
        return "", default
    host, _, port = address.rpartition(":")
    if not (port.isdecimal() and port.isascii() and 0 < int(port) < 65536):
        raise NotFound(f"expected a port from 1 to 65535, or HOST:PORT, got {address!r}")
    return bare_host(host), int(port)


def datagrams(address: tuple[str, int]) -> Generator[tuple[int, bytes, str] | None, None, None]:
    """Time of arrival, content and host of the sender; None where nothing came for a tenth of a second.

    Raises OSError where the port is another program's.
    """
    with closing(_bound(address)) as port:
        while True:
            try:
                packet, (host, *_) = port.recvfrom(LARGEST)
            except TimeoutError:
                yield None
                continue
            except ConnectionError:  # Windows says so of a port that was sent to
                continue
            yield now_us(), packet, host


def _bound(address: tuple[str, int]) -> socket.socket:
    deadline = time.monotonic() + FREE_S
    while True:
        port = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            port.settimeout(WAIT_S)
            port.bind(address)
        except OSError as error:
            port.close()
            if time.monotonic() > deadline:
                raise OSError(error.errno, f"UDP port {address[1]}: {error.strerror}") from error
            time.sleep(WAIT_S)
        else:
            return port
