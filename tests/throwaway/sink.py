"""A throw-away sink: how many events of each kind there were, in a file. One line in PLACES adds it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from motionscribe.events import Event
from motionscribe.sinks import MakeSink, StreamInfo
from motionscribe.sinks.addresses import Place

LINE = Place("count", "FILE", "counts of events", "tests.throwaway.sink:open_count", "counting")


class Count:
    """Adds a line to a file for each stream, when it ends."""

    def __init__(self, path: Path, info: StreamInfo) -> None:
        self._path, self._info = path, info
        self._count: Counter[str] = Counter()

    def write(self, event: Event) -> None:
        self._count[type(event).__name__] += 1

    def close(self) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            print(self._info.stream_id, dict(self._count), file=file)


@contextmanager
def open_count(address: str) -> Iterator[MakeSink]:
    """One Count a stream."""
    yield lambda info: Count(Path(address), info)
