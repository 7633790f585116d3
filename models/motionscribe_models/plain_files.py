"""Files of a model folder that may be hostile: only regular ones are read, and only up to a limit.

In: a path. Out: its bytes, their digest, or a ModelFolderError.
"""

import hashlib
import stat
from pathlib import Path

from motionscribe_models.errors import ModelFolderError

MAX_FILE_BYTES = 512 << 20  # the fp32 encoder of 4096 units, four times the paper's, has 200 MB


def read_plain_file(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Bytes of a regular file. Raises ModelFolderError for links, devices, absent files and more than `limit` bytes."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise ModelFolderError(f"{path}: expected a regular file, got {stat.filemode(found.st_mode)}")
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise ModelFolderError(f"{path}: expected a readable file, got {error.strerror}") from error
    if len(raw) > limit:
        raise ModelFolderError(f"{path}: expected at most {limit} bytes, got {max(found.st_size, len(raw))}")
    return raw


def sha256(raw: bytes) -> str:
    """Lower-case hexadecimal digest."""
    return hashlib.sha256(raw).hexdigest()
