"""Where frames come from: files, iterables, callbacks, Lab Streaming Layer. `as_source` recognises them."""

from collections.abc import AsyncIterable, Iterable
from pathlib import Path

from motionscribe.sources.base import Source
from motionscribe.sources.iterable import Item, IterableSource
from motionscribe.sources.push import PushSource
from motionscribe.sources.recording import RecordingSource, file_source
from motionscribe_models.recordings import Recording

AnySource = Source | Recording | Path | str | Iterable[Item] | AsyncIterable[Item]


def as_source(what: AnySource) -> Source:
    """A source as it is, a recording, the path of a file, or any iterable of pairs or blocks.

    Raises RecordingError for a file that is none, TypeError for anything else.
    """
    match what:
        case Source():
            return what
        case Recording():
            return RecordingSource(what)
        case str() | Path():
            return file_source(what)
        case Iterable() | AsyncIterable():
            return IterableSource(what)
        case _:
            raise TypeError(f"expected a source, a recording, a path or an iterable, got {type(what).__name__}")


__all__ = [
    "AnySource",
    "IterableSource",
    "PushSource",
    "RecordingSource",
    "Source",
    "as_source",
    "file_source",
]
