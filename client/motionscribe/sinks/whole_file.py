"""A file of a format that only whole files have, such as XML or HDF5, as a sink: written anew while events come.

In: the events of all streams of a command. Out: a complete file at any time, which lacks the last seconds at most. A
thread of its own writes it, no more often than writing costs; a write that fails is tried again and stops no stream.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from motionscribe.errors import BadFile
from motionscribe.events import (
    AnomalyScores,
    ClusterMerged,
    ClusterSplit,
    Event,
    Label,
)
from motionscribe.sinks.base import MakeSink, Sink, StreamInfo
from motionscribe.sinks.final_names import Naming, finally_named
from motionscribe.sinks.record import Record, Records, Span, is_kept
from motionscribe.sinks.saved_events import RUN, merges_of

log = logging.getLogger(__name__)

LEAST_S = 1.0
"""Between two writes."""
REST = 20
"""So many times the duration of a write pass before the next one."""
MOST_SPANS = 100_000
"""Of all streams of a command: a segment every five seconds for six days. With the writing of ELAN they fill 300 MB."""

Write = Callable[[Path, Records], None]
"""Writes a new file, complete or not at all. Raises OSError."""


class KeptStream(Sink):
    """Takes what the file holds of one stream."""

    def __init__(self, info: StreamInfo, has_room: Callable[[], bool], changed: Callable[[], None]) -> None:
        self._clock = info.clock
        self._names = dict(info.names)
        self._spans: list[Span] = []
        self._offsets_us: list[int] = []
        self._merges: list[Event] = []
        self._has_room, self._changed = has_room, changed
        self._lock = threading.Lock()

    def write(self, event: Event) -> None:
        """Passes over labels and scores, of which there are many."""
        if isinstance(event, Label | AnomalyScores):
            return
        with self._lock:
            if isinstance(event, Naming):
                self._names[event.cluster] = event.name
            if isinstance(event, ClusterMerged | ClusterSplit):
                self._merges.append(event)
            if is_kept(event) and self._has_room():
                self._spans.append(event)
                if self._clock:  # it drifts: what holds now does not hold for the spans of an hour ago
                    self._offsets_us.append(self._clock.here_us(event.end_us) - event.end_us)
        self._changed()

    def record(self) -> Record:
        """As it is now."""
        with self._lock:
            spans, offsets_us = list(self._spans), list(self._offsets_us)
            names, merges = dict(self._names), list(self._merges)
        named = finally_named(spans, names, dict(merges_of(merges)))
        return Record([event for event in named if is_kept(event)], offsets_us)

    def close(self) -> None:
        """Does nothing: the file lasts as long as the command."""


class WholeFile:
    """The streams of a command, and the thread that writes them."""

    def __init__(self, path: Path, write: Write) -> None:
        self._path = path
        self._write = write
        self._streams: dict[str, KeptStream] = {}
        self._spans = 0
        self._dirty = False
        self._failed = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="motionscribe-file", daemon=True)
        self._thread.start()

    def make(self, info: StreamInfo) -> Sink:
        """The sink of one more stream."""
        runs = sum(title.partition(RUN)[0] == info.stream_id for title in self._streams)
        title = f"{info.stream_id}{RUN}{runs + 1}" if runs else info.stream_id
        sink = KeptStream(info, self._has_room, self._change)
        # a new dictionary: the thread may go over the old one
        self._streams = {**self._streams, title: sink}
        self._dirty = True
        return sink

    def _change(self) -> None:
        self._dirty = True

    def _has_room(self) -> bool:
        """Takes the room of one span. That there is none is told once."""
        self._spans += 1
        if self._spans == MOST_SPANS + 1:
            log.warning(
                "%s is full: it has %d segments, alarms and gaps; later ones are left out", self._path, MOST_SPANS
            )
        return self._spans <= MOST_SPANS

    def _work(self) -> None:
        pause_s = LEAST_S
        while not self._ended.wait(pause_s):
            if self._is_due():
                began_s = time.monotonic()
                self._try()
                pause_s = max(LEAST_S, REST * (time.monotonic() - began_s))

    def _is_due(self) -> bool:
        """Also where the file was removed, or moved away."""
        return self._dirty or (bool(self._streams) and not self._path.exists())

    def _try(self) -> Exception | None:
        """Writes the file; what was in the way is told once, until it goes well again."""
        self._dirty = False
        try:
            self._write(self._path, {title: sink.record() for title, sink in self._streams.items()})
        except Exception as error:
            self._dirty = True
            if not self._failed:
                log.warning("%s is not written: %s; it is tried again", self._path, error)
            self._failed = True
            return error
        self._failed = False
        return None

    def finish(self) -> Exception | None:
        """Writes what is not written yet, nothing where no stream was opened; returns what was in the way."""
        self._ended.set()
        self._thread.join()
        return self._try() if self._is_due() else None


@contextmanager
def save_whole(path: str, write: Write) -> Iterator[MakeSink]:
    """A new file of all streams that the context lasts.

    It is there within a second or two, and `kill -9` leaves it complete. Raises BadFile for a file that exists, OSError
    for a folder that does not, and at the end what the last write raised, unless something else is raised already.
    """
    place = Path(path)
    if place.exists():
        what = "exists" if place.is_file() else "is no regular file, and this format is written anew as a whole"
        raise BadFile(f"expected a new file, got {place}, which {what}")
    if not place.parent.is_dir():
        raise FileNotFoundError(f"expected a folder for {place}, found none")
    file = WholeFile(place, write)
    try:
        yield file.make
    except BaseException:
        file.finish()
        raise
    if failure := file.finish():
        raise failure
