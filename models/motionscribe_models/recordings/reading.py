"""Opens a recording of any known format. A path goes in; a `Recording` comes out, or an error that says why not."""

from collections.abc import Callable
from pathlib import Path

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.acclaim import read_amc
from motionscribe_models.recordings.expmap_csv import read_expmap_csv
from motionscribe_models.recordings.features_csv import is_features_csv, read_features_csv
from motionscribe_models.recordings.mat import read_mat
from motionscribe_models.recordings.npz import read_npz
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.table import read_lines


def _read_text(path: Path, rate_hz: float | None) -> Recording:
    reader = read_features_csv if is_features_csv(read_lines(path)[0]) else read_expmap_csv
    return reader(path, rate_hz)


_READERS: dict[str, Callable[[Path, float | None], Recording]] = {
    ".amc": read_amc,
    ".csv": _read_text,
    ".mat": read_mat,
    ".npz": read_npz,
    ".txt": _read_text,
}


def read_recording(path: Path | str, rate_hz: float | None = None) -> Recording:
    """Reads `.amc`, `.csv`, `.mat`, `.npz` or `.txt`, by the extension and, for text, by what the first line is.

    `rate_hz` overrides the times that the file or its format implies. Raises RecordingError with the file, what was
    expected and what came, and MissingExtraError where a format needs a package that is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in _READERS:
        raise RecordingError(
            f"{path}: expected a file ending in {', '.join(_READERS)}, got {path.suffix or 'no ending'}"
        )
    if not path.is_file():
        raise RecordingError(f"{path}: expected a file, found none")
    if rate_hz is not None and not 0 < rate_hz < 1e6:
        raise RecordingError(f"{path}: expected a rate above 0 Hz and below 1 MHz, got {rate_hz}")
    return _READERS[path.suffix.lower()](path, rate_hz)
