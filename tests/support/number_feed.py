"""A live feed of what the scripted server understands, and feeds that misbehave; as a program, motionscribe with them.

A datagram is a frame: time in microseconds, number of the person, number of the cluster (`<qBf`). `numbers:PORT` hears
the person alone, `crowd:PORT` all of them. `bad:KIND` does not even open.
"""

import socket
import struct
import sys
import threading
from collections.abc import Generator, Iterable
from contextlib import closing

import numpy as np
from tests.support.scripted_server import COLUMNS

from motionscribe import cli
from motionscribe.sources import Source, schemes
from motionscribe.sources.datagrams import datagrams
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Body, Moment
from motionscribe_models.skeleton import feature_skeleton

PACKET = struct.Struct("<qBf")
RATE_HZ = 100.0
SKELETON = feature_skeleton("two", COLUMNS, RATE_HZ)


class NumberReader:
    """A Reader."""

    rate_hz = RATE_HZ
    strange = 0

    def __init__(self, port: int) -> None:
        self.where = f"numbers on UDP port {port}"
        self._port = port

    def moments(self) -> Generator[Moment | None, None, None]:
        with closing(datagrams(("127.0.0.1", self._port))) as packets:
            for packet in packets:
                if packet is None:
                    yield None
                    continue
                arrived_us, content, _ = packet
                time_us, person, cluster = PACKET.unpack(content)
                body = Body(SKELETON, np.array([cluster, 0.5], np.float32), person=str(person))
                yield Moment(time_us, arrived_us, [body])


class NumberSender:
    """Sends frame after frame, at their pace, from its construction until it is closed."""

    def __init__(self, port: int, people: Iterable[int] = (1,)) -> None:
        self._people = tuple(people)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send, args=(port,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join(5)

    def _send(self, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            n = 0
            while not self._stopped.wait(1 / RATE_HZ):
                for person in self._people:
                    sender.sendto(PACKET.pack(n * 10_000, person, n % 5), ("127.0.0.1", port))
                n += 1


def open_numbers(address: str, rate_hz: float | None = None) -> Source:
    """An opener."""
    return LiveFeed("numbers", NumberReader(int(address)), rate_hz=rate_hz)


def open_crowd(address: str, rate_hz: float | None = None) -> Source:
    """An opener."""
    return LiveFeed("crowd", NumberReader(int(address)), rate_hz=rate_hz, several=True)


def open_bad(address: str, rate_hz: float | None = None) -> Source:
    """An opener."""
    if address == "exit":
        sys.exit("an estimator that ends the program")
    if address == "hangs":
        threading.Event().wait()
    raise ZeroDivisionError("a bug")


SCHEMES = tuple(
    schemes.Scheme(name, "X", "", f"tests.support.number_feed:open_{name}") for name in ("numbers", "crowd", "bad")
)

if __name__ == "__main__":
    schemes.SCHEMES += SCHEMES
    sys.exit(cli.main())
