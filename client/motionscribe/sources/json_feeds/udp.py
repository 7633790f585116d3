"""Whoever sends joints as JSON to a UDP port of this machine, as a live feed. In: the address `udp:[HOST:]PORT`.

A datagram is a message, as decoding.py has it.
"""

from collections.abc import Generator

from motionscribe.sources.datagrams import datagrams, port_of
from motionscribe.sources.json_feeds.decoding import Decoder, StrangeMessageError
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment

PORT = 5005


def open_udp(address: str, rate_hz: float | None = None) -> LiveFeed:
    """The address `udp:[HOST:]PORT`. Raises NotFound for what is no port."""
    return LiveFeed("udp", UdpReader(port_of(address, PORT)), rate_hz=rate_hz, several=True)


class UdpReader:
    """Reads whatever comes to the port: several senders may each send a person."""

    rate_hz = 0.0

    def __init__(self, address: tuple[str, int]) -> None:
        self.where = f"JSON on UDP port {address[1]}"
        self.strange = 0
        self._address = address

    def moments(self) -> Generator[Moment | None, None, None]:
        """As live_feed.Reader has it. Raises OSError where the port is another program's."""
        decoder = Decoder()
        for datagram in datagrams(self._address):
            if datagram is None:
                yield None
                continue
            arrived_us, message, _ = datagram
            try:
                yield decoder.take(message, arrived_us)
            except StrangeMessageError:
                self.strange += 1
                yield None
