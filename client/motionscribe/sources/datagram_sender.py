"""Datagrams to an address, for the simulators of feeds over UDP. Whether anybody listens is not known."""

import socket

from motionscribe.sources.datagrams import port_of


class DatagramSender:
    """Sends to `HOST:PORT`; to this machine where no host is named.

    Raises NotFound for what is no port, OSError for a host that nobody knows.
    """

    def __init__(self, address: str, default: int) -> None:
        host, port = port_of(address, default)
        family, kind, protocol, _, place = socket.getaddrinfo(host or "127.0.0.1", port, type=socket.SOCK_DGRAM)[0]
        self._to = place
        self._socket = socket.socket(family, kind, protocol)

    def send(self, datagram: bytes) -> None:
        """Raises OSError for more than 64 KiB."""
        self._socket.sendto(datagram, self._to)

    def close(self) -> None:
        """Nothing is left to be sent."""
        self._socket.close()
