"""A feed of the tests' own over UDP, with its sender: a moment is a datagram of JSON, which names all that it holds.

It can have several people, a rate that the sender claims, and faults that a test plants between sender and wire.
"""

import json
import socket
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from motionscribe.sources import schemes
from motionscribe.sources.datagrams import datagrams, port_of
from motionscribe.sources.finding import Found, find_by_listening
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.schemes import Scheme
from motionscribe_models.recordings import Recording
from motionscribe_models.skeleton import Skeleton

PORT = 39999


class MadeReader:
    """What comes at an address."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.where = f"the made feed on UDP port {address[1]}"
        self.rate_hz = 0.0
        self.strange = 0
        self._address = address
        self._skeletons: dict[str, Skeleton] = {}

    def moments(self) -> Generator[Moment | None, None, None]:
        for datagram in datagrams(self._address):
            if datagram is None:
                yield None
                continue
            arrived_us, packet, _ = datagram
            if packet == b"end":
                return
            try:
                content = json.loads(packet)
                bodies = [self._body(person, *rest) for person, *rest in content["people"]]
                self.rate_hz = content["hz"]
            except (ValueError, KeyError, TypeError):
                self.strange += 1
                continue
            yield Moment(content["us"], arrived_us, bodies)

    def _body(self, person: str, layout: str, values: list[float], sure: list[float] | None) -> Body:
        if layout not in self._skeletons:
            self._skeletons[layout] = Skeleton.from_json(json.loads(layout))
        confidences = None if sure is None else np.array(sure, np.float32)
        return Body(self._skeletons[layout], np.array(values, np.float32), confidences, person)


class MadeSender:
    """Speaks it, to `HOST:PORT`; people are called a, b, c where there are several."""

    def __init__(self, recordings: Sequence[Recording], address: str, claimed_hz: float = 0.0) -> None:
        self._recordings = recordings
        self._claimed_hz = claimed_hz
        self._to = port_of(address, PORT)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._layouts = [json.dumps(recording.skeleton.to_json()) for recording in recordings]

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        names = "abc" if len(rows) > 1 else [""]
        people = [
            (name, layout, recording.frames[row].tolist(), _listed(recording, row))
            for name, layout, recording, row in zip(names, self._layouts, self._recordings, rows, strict=False)
            if row is not None
        ]
        content = json.dumps({"us": time_us, "hz": self._claimed_hz, "people": people})
        self._socket.sendto(content.encode(), self._to)

    def close(self) -> None:
        self._socket.sendto(b"end", self._to)
        self._socket.close()


def _listed(recording: Recording, row: int) -> list[float] | None:
    return None if recording.confidences is None else recording.confidences[row].tolist()


def open_made(address: str, rate_hz: float | None = None) -> LiveFeed:
    return LiveFeed("made", MadeReader(port_of(address, PORT)), rate_hz=rate_hz)


def open_crowd(address: str, rate_hz: float | None = None) -> LiveFeed:
    return LiveFeed("crowd", MadeReader(port_of(address, PORT)), rate_hz=rate_hz, several=True)


def find_made(seconds: float) -> list[Found]:
    return find_by_listening(open_made, f"127.0.0.1:{PORT}", seconds)


MADE = Scheme("made", "PORT", "a feed of tests", f"{__name__}:open_made", sender=f"{__name__}:MadeSender")
CROWD = replace(MADE, name="crowd", opener=f"{__name__}:open_crowd")


@contextmanager
def made_feeds(*more: Scheme) -> Iterator[None]:
    """`made` and `crowd` are schemes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schemes, "SCHEMES", (*schemes.SCHEMES, MADE, CROWD, *more))
        yield
