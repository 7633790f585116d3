"""The feed `mvn:[HOST:]PORT`: listens on a UDP port for one machine that runs Xsens MVN."""

from collections.abc import Generator

from motionscribe.sources.datagrams import datagrams, port_of
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment
from motionscribe.sources.mvn.characters import Characters
from motionscribe.sources.mvn.datagram import NotMvn

PORT = 9763
"""MVN's own default."""
GONE_US = 5_000_000
"""A machine that is silent for so long makes way for another one."""


class MvnReader:
    """Hears the machine that sends first: characters of two machines have the same numbers. See live_feed.Reader."""

    rate_hz = 0.0

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.where = f"Xsens MVN on UDP port {address[1]}"
        self.strange = 0

    def moments(self) -> Generator[Moment | None, None, None]:
        """Raises OSError where the port is another program's."""
        characters, sender, heard_us = Characters(), "", 0
        for came in datagrams(self._address):
            if came is None:
                yield from characters.end()
                yield None
                continue
            arrived_us, packet, host = came
            if host != sender and sender and arrived_us - heard_us <= GONE_US:
                self.strange += 1
                yield None
                continue
            left_out = characters.left_out
            try:
                moments = characters.take(packet, arrived_us)
            except NotMvn:
                self.strange += 1
                yield None
                continue
            sender, heard_us = host, arrived_us
            self.strange += characters.left_out - left_out
            yield from moments or (None,)


def open_mvn(address: str, rate_hz: float | None = None) -> LiveFeed:
    """The address `mvn:[HOST:]PORT`. Raises NotFound for what is no port."""
    return LiveFeed("mvn", MvnReader(port_of(address, PORT)), rate_hz=rate_hz, several=True, time_unit="milliseconds")
