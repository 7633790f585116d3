"""A reader of QTM that a test hears."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from motionscribe.sources.moments import Moment
from motionscribe.sources.qtm.feed import QtmReader


@contextmanager
def hearing(port: int) -> Iterator[tuple[QtmReader, Iterator[Moment | None]]]:
    reader = QtmReader(("127.0.0.1", port))
    with closing(reader.moments()) as moments:
        yield reader, moments
