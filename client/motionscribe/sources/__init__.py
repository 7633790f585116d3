"""Where frames come from: files, live feeds, iterables, callbacks. `as_source` recognises all that a client accepts.

base.py says what a source is, schemes.py lists those that have an address, such as `lsl:NAME`.
"""

from collections.abc import AsyncIterable, Iterable
from pathlib import Path

from motionscribe.sources.base import Source
from motionscribe.sources.iterable import Item, IterableSource
from motionscribe.sources.push import PushSource
from motionscribe.sources.recording import RecordingSource, file_source
from motionscribe.sources.schemes import open_source
from motionscribe_models.recordings import Recording

AnySource = Source | Recording | Path | str | Iterable[Item] | AsyncIterable[Item]


def as_source(what: AnySource) -> Source:
    """A source as it is; a recording, a path, an address such as `lsl:NAME`, or an iterable of pairs or blocks as one.

    Raises RecordingError for a file that is no recording, what `open_source` raises, TypeError for anything else.
    """
    match what:
        case Source():
            return what
        case Recording():
            return RecordingSource(what)
        case str():
            return open_source(what)
        case Path():
            return file_source(what)
        case Iterable() | AsyncIterable():
            return IterableSource(what)
        case _:
            raise TypeError(
                f"expected a source, a recording, a path, an address or an iterable, got {type(what).__name__}"
            )


__all__ = [
    "AnySource",
    "IterableSource",
    "PushSource",
    "RecordingSource",
    "Source",
    "as_source",
    "file_source",
    "open_source",
]
