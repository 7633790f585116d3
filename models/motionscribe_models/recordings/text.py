"""Text files as people and their programs write them. Bytes go in, lines come out.

This is the one place that decodes: UTF-8 with or without a byte order mark, UTF-16 and UTF-32 with one, and what is
none of these as Windows and Latin-1 write Western languages. Lines end in LF, CRLF or CR.
"""

import codecs
import re
from pathlib import Path

from motionscribe_models.errors import RecordingError

# UTF-32 first: its mark begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# control characters that no text has; 26 ended files under DOS
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")


def read_text(path: Path) -> str:
    """The whole file. Raises RecordingError for one that cannot be read or is not text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: expected a text file, got {error}") from error
    return decode(content, str(path))


def decode(content: bytes, name: str) -> str:
    """Bytes of a text file as text, without the byte order mark. `name` is for the RecordingError: they are no text."""
    marked = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)
    try:
        text = content.decode(marked or "utf-8")
    except UnicodeDecodeError as error:
        if marked:
            raise RecordingError(f"{name}: expected {marked} text, got byte {error.start} that is none") from error
        text = _decode_western(content)
    if no_text := _NO_TEXT.search(text):
        raise RecordingError(
            f"{name}: expected a text file, got the character {ord(no_text[0])} at {no_text.start()} that is no text"
        )
    return text.rstrip("\x1a")


def _decode_western(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:  # five bytes mean nothing there
        return content.decode("latin-1")


def split_lines(text: str) -> list[str]:
    """All lines, blank ones at the end left out. A line ends where a file's line ends, and at no other character."""
    lines = re.split(r"\r\n|\n|\r", text)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def first_line(error: object) -> str:
    """What an error of a library says, in one line."""
    return str(error).partition("\n")[0]


def read_lines(path: Path) -> list[str]:
    """All lines of a file. Raises RecordingError for a file that is not text, or empty."""
    lines = split_lines(read_text(path))
    if not lines:
        raise RecordingError(f"{path}: expected frames, got an empty file")
    return lines
