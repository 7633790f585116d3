"""The streams of this server by key, live and retained, and the places that they take.

In: streams that come and go. Out: who is there, and which places are taken. A place is taken as soon as a stream is
about to be opened, and free as soon as one begins to go. Nothing here waits, so that a decision about all streams and
the note of it are one step.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from motionscribe_server.streams.admission import Place
from motionscribe_server.streams.live_stream import LiveStream


class StreamTable:
    """Empty at first."""

    def __init__(self) -> None:
        self.is_draining = False
        """No stream is opened any more."""
        self._streams: dict[str, LiveStream] = {}
        self._reserved: set[str] = set()
        self._leaving: set[LiveStream] = set()

    def __iter__(self) -> Iterator[LiveStream]:
        """All streams that are there now."""
        return iter(list(self._streams.values()))

    def get(self, key: str) -> LiveStream | None:
        """The stream of this key, where there is one."""
        return self._streams.get(key)

    def keys(self) -> frozenset[str]:
        """The keys of all streams."""
        return frozenset(self._streams)

    def has(self, stream: LiveStream) -> bool:
        """It was not removed."""
        return self._streams.get(stream.info.key) is stream

    def add(self, stream: LiveStream) -> None:
        """A new stream, for whose key there is none."""
        self._streams[stream.info.key] = stream

    def remove(self, stream: LiveStream) -> None:
        """It is over, and nothing of it is saved from now on."""
        stream.saver.stop()
        if self.has(stream):
            del self._streams[stream.info.key]

    def places(self, in_use: Collection[str]) -> list[Place]:
        """The places that are taken. Something is done to the streams whose keys are `in_use`."""
        staying = [stream for stream in self._streams.values() if stream not in self._leaving]
        places = [Place(stream.info.key, stream.left_at, stream.info.key in in_use) for stream in staying]
        return places + [Place(key, None, True) for key in self._reserved - self._streams.keys()]

    def reserve(self, key: str) -> None:
        """Takes a place for a stream that is about to be opened."""
        self._reserved.add(key)

    def release(self, key: str) -> None:
        """The stream is there, or it was refused."""
        self._reserved.discard(key)

    @contextmanager
    def leaving(self, stream: LiveStream) -> Iterator[None]:
        """It begins to go: its place is free, though it can be found until it is removed."""
        self._leaving.add(stream)
        try:
            yield
        finally:
            self._leaving.discard(stream)
