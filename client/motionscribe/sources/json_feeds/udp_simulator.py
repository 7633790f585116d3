"""Sends recordings as JSON in datagrams, as a program of one's own would."""

from collections.abc import Sequence

from motionscribe.sources.datagram_sender import DatagramSender
from motionscribe.sources.json_feeds.encoding import Encoder
from motionscribe.sources.json_feeds.udp import PORT
from motionscribe_models.recordings import Recording


class UdpSender:
    """The address `udp:[HOST:]PORT`, as sources/sending.py wants it: 127.0.0.1 where no host is named.

    Raises RecordingError for what is no body in space, NotFound for what is no port. OSError for a frame that is larger
    than a datagram, 64 KiB.
    """

    def __init__(self, recordings: Sequence[Recording], address: str) -> None:
        self._encoder = Encoder(recordings)
        self._datagrams = DatagramSender(address, PORT)

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        """One datagram."""
        self._datagrams.send(self._encoder.message(time_us, rows).encode())

    def close(self) -> None:
        """Nothing is left to be sent."""
        self._datagrams.close()
