"""A text file that grows line by line: each line is in it at once, and one that cannot be written waits.

In: text, to the end of a file that exists or not. Out: whole lines. A full disk stops no stream: it is told once, and
what waits is written as soon as there is room again.
"""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from motionscribe.errors import BadFile

log = logging.getLogger(__name__)

MOST_WAITING = 16 << 20
"""Bytes of lines that wait for room; those that come then are lost, which is an error at the end."""
LONGEST_LINE = 1 << 16
"""That is looked at to tell a file of ours from others."""


class Appended(io.TextIOBase):
    """Takes text as an open file does. Only a reader who has left a pipe raises BrokenPipeError."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._line = ""
        self._waiting = bytearray()
        self._lost = 0
        self._failed = False

    def write(self, text: str, /) -> int:
        """Writes the line that `text` ends, if it does."""
        self._line += text
        if self._line.endswith("\n"):
            line = self._line.encode("utf-8")
            if len(self._waiting) + len(line) > MOST_WAITING:
                self._lost += 1
            else:
                self._waiting += line
            self._line = ""
            self._try()
        return len(text)

    def _try(self) -> OSError | None:
        """Writes what waits; what was in the way is told once, until it goes well again."""
        try:
            while self._waiting:
                del self._waiting[: self._file.write(self._waiting)]
        except BrokenPipeError:
            raise
        except OSError as error:
            if not self._failed:
                log.warning("%s is not written: %s; it is tried again", self._file.name, error)
            self._failed = True
            return error
        self._failed = False
        return None

    def finish(self) -> OSError | None:
        """Writes what waits; returns what was in the way."""
        failure = self._try()
        if self._lost and not failure:
            return OSError(f"{self._file.name} lacks {self._lost} lines: it could not be written for too long")
        return failure


@contextmanager
def appended(place: Path) -> Iterator[Appended]:
    """The file, which is made where there is none. Raises OSError, at the end that of lines that were not written."""
    with io.FileIO(place, "a") as file:
        text = Appended(file)
        try:
            yield text
        except BaseException:
            text.finish()
            raise
        if failure := text.finish():
            raise failure


def has_beginning(place: Path, is_ours: Callable[[bytes], bool], what: str) -> bool:
    """True for a file that `is_ours` knows by its beginning, False for none, an empty one, and a pipe.

    Raises OSError, BadFile for a file of something else than `what`.
    """
    if not place.exists():
        if not place.parent.is_dir():
            raise FileNotFoundError(f"expected a folder for {place}, found none")
        return False
    if not place.is_file():
        return False
    with place.open("rb") as file:
        start = file.read(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
    if start and not is_ours(start):
        raise BadFile(f"{place}: expected a new file, or one of {what} to go on with, got another one")
    return bool(start)


def ends_within_a_line(place: Path) -> bool:
    """True where the last line has no end: who wrote it was killed."""
    with place.open("rb") as file:
        file.seek(-1, 2)
        return file.read() != b"\n"
