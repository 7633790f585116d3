"""Whoever sends the Virtual Motion Capture protocol to a UDP port of this machine, as a live feed of one person.

In: the address `vmc:[HOST:]PORT`. packets.py and frames.py say how datagrams become frames; the newest sender's count.
"""

from collections.abc import Generator

from motionscribe.sources.datagrams import datagrams, port_of
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Moment
from motionscribe.sources.vmc.frames import AWAY_US, Frames
from motionscribe.sources.vmc.osc import OscError
from motionscribe.sources.vmc.packets import Packet, PacketReader

PORT = 39539
"""Where programs that show an avatar listen, by the specification."""


def open_vmc(address: str, rate_hz: float | None = None) -> LiveFeed:
    """The address `vmc:[HOST:]PORT`. Raises MissingExtraError, NotFound for what is no port."""
    return LiveFeed("vmc", VmcReader(port_of(address, PORT)), rate_hz=rate_hz)


class VmcReader:
    """Reads one sender at a time: another one is passed over until the first has been silent for two seconds."""

    rate_hz = 0.0

    def __init__(self, address: tuple[str, int]) -> None:
        self.where = f"VMC on UDP port {address[1]}"
        self.strange = 0
        self._address = address
        self._packets = PacketReader()

    def moments(self) -> Generator[Moment | None, None, None]:
        """As live_feed.Reader has it. Raises OSError where the port is another program's."""
        frames, sender, heard_us = Frames(), "", 0
        for datagram in datagrams(self._address):
            if datagram is None:
                yield from frames.end()
                yield None
                continue
            arrived_us, content, host = datagram
            try:
                packet = self._packets.read(content)
            except OscError:
                self.strange += 1
                yield None
                continue
            if packet == Packet():
                yield None
                continue
            if host != sender and arrived_us - heard_us <= AWAY_US:
                self.strange += 1
                yield None
                continue
            sender, heard_us = host, arrived_us
            moments = frames.take(packet, arrived_us)
            self.strange, frames.left_out = self.strange + frames.left_out, 0
            yield from moments or (None,)
