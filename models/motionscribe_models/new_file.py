"""A file that is there as a whole or not at all: what stood at its place stays until the new one is complete."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_file(path: Path | str) -> Iterator[Path]:
    """A place beside `path` to write to, with the same ending; it takes the place of `path` when the block ends well.

    A pipe or a device is written to as it is. Raises OSError.
    """
    try:
        target = Path(path).resolve()  # a link stays a link
    except RuntimeError as error:  # one that leads to itself, before Python 3.13
        raise OSError(f"{path}: expected a place for a file, got {error}") from error
    if target.exists() and not target.is_file():
        yield Path(path)
        return
    beside = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        yield beside
        if target.exists():
            beside.chmod(target.stat().st_mode)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
