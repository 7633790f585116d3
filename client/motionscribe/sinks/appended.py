"""A text file that grows line by line: each line is in it at once, and one that cannot be written waits.

In: text, to the end of a file that exists or not. Out: whole lines. A full disk stops no stream: it is told once, and
what waits is written as soon as there is room again. So it is with a file that is removed, or moved away: its place
gets a new one.
"""

import io
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from motionscribe.errors import BadFile

log = logging.getLogger(__name__)

MOST_WAITING = 16 << 20
"""Bytes of lines that wait for room; those that come then are lost, which is an error at the end."""
LONGEST_LINE = 1 << 16
"""That is looked at to tell a file of ours from others."""
LOOK_S = 1.0
"""How often the place is looked at."""


@dataclass(frozen=True)
class Lines:
    """A kind of file."""

    what: str
    """Lines of what, for people."""
    is_ours: Callable[[bytes], bool]
    """Knows such a file by its beginning."""
    end: bytes = b"\n"
    """Of each line."""
    header: bytes = b""
    """The first lines of a new file."""


class Appended(io.TextIOBase):
    """Takes text as an open file does. Only a reader who has left a pipe raises BrokenPipeError."""

    def __init__(self, place: Path, lines: Lines) -> None:
        self._place, self._lines = place, lines
        self._file, self._beginning = _open(place, lines)
        self._line = ""
        self._waiting = bytearray()
        self._recent = bytearray()
        """What was written since the last look: a file that was removed took it along."""
        self._looked_s = time.monotonic()
        self._lost = 0
        self._failed = False
        self._try()

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
            self._try(look=time.monotonic() - self._looked_s >= LOOK_S)
        return len(text)

    def finish(self) -> OSError | None:
        """Writes what waits, and closes the file; returns what was in the way."""
        try:
            failure = self._try(look=True)
        finally:
            self._file.close()
        if self._lost and not failure:
            return OSError(f"{self._place} lacks {self._lost} lines: it could not be written for too long")
        return failure

    def _try(self, *, look: bool = False) -> OSError | None:
        """Writes what waits; what was in the way is told once, until it goes well again."""
        try:
            if look or self._file.closed:
                self._look()
            while self._beginning:
                self._beginning = self._beginning[self._file.write(self._beginning) :]
            while self._waiting:
                written = self._file.write(self._waiting)
                self._recent += self._waiting[:written]
                del self._waiting[:written]
        except BrokenPipeError:
            raise
        except (OSError, BadFile) as error:
            if not self._failed:
                log.warning("%s is not written: %s; it is tried again", self._place, error)
            self._failed = True
            return error if isinstance(error, OSError) else OSError(str(error))
        self._failed = False
        return None

    def _look(self) -> None:
        """Whether the place still names the file; else opens another one there. Raises OSError, BadFile."""
        self._looked_s = time.monotonic()
        if not self._file.closed:
            file = os.fstat(self._file.fileno())
            if not stat.S_ISREG(file.st_mode) or _is_at(file, self._place):
                self._forget()
                return
            log.warning("%s was removed or moved away: events go to a new file there", self._place)
            if file.st_nlink:  # moved away, with what it has
                self._forget()
            self._waiting[:0] = self._recent
            self._recent.clear()
            self._file.close()
        self._file, self._beginning = _open(self._place, self._lines)

    def _forget(self) -> None:
        """What is well kept; not the half of a line."""
        del self._recent[: self._recent.rfind(b"\n") + 1]


@contextmanager
def appended(place: Path, lines: Lines) -> Iterator[Appended]:
    """The file, which is made where there is none. Raises OSError, at the end that of lines that were not written."""
    text = Appended(place, lines)
    try:
        yield text
    except BaseException:
        text.finish()
        raise
    if failure := text.finish():
        raise failure


def has_beginning(place: Path, lines: Lines) -> bool:
    """True for a file of such lines, False for none, an empty one, and a pipe.

    Raises OSError, BadFile for a file of something else.
    """
    if not place.exists():
        if not place.parent.is_dir():
            raise FileNotFoundError(f"expected a folder for {place}, found none")
        return False
    if not place.is_file():
        return False
    with place.open("rb") as file:
        start = file.read(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
    if start and not lines.is_ours(start):
        raise BadFile(f"{place}: expected a new file, or one of {lines.what} to go on with, got another one")
    return bool(start)


def _open(place: Path, lines: Lines) -> tuple[io.FileIO, bytes]:
    """The file, and what comes before the next line: a header, or the end of a line whose writer was killed."""
    if not has_beginning(place, lines):
        return io.FileIO(place, "a"), lines.header
    with place.open("rb") as file:
        file.seek(-1, 2)
        ended = file.read() == b"\n"
    return io.FileIO(place, "a"), b"" if ended else lines.end


def _is_at(file: os.stat_result, place: Path) -> bool:
    try:
        return os.path.samestat(file, place.stat())
    except OSError:
        return False
