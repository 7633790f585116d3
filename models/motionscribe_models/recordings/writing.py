"""Writes a recording to a file of a format that others read. A `Recording` and a path go in.

WRITERS is the one table of formats, as READERS of reading.py is: a new one is a module with a function that writes a
file, and a line in WRITERS. What a format cannot hold, its writer refuses or leaves out: the table says which.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from motionscribe_models.errors import RecordingError
from motionscribe_models.new_file import new_file
from motionscribe_models.recordings.npz import write_npz
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.writers.bvh import write_bvh
from motionscribe_models.recordings.writers.csv import write_csv
from motionscribe_models.recordings.writers.movement import write_movement
from motionscribe_models.recordings.writers.trc import write_trc


@dataclass(frozen=True)
class Writer:
    """A file format, and what writes it."""

    ending: str
    """Lower case, with the dot."""
    description: str
    """For the table of docs/2-connecting.md: what is written."""
    write: Callable[[Recording, Path], None]
    """Raises ContractError for a recording that the format cannot hold, OSError."""
    extra: str = ""
    """The extra that it needs."""


WRITERS: tuple[Writer, ...] = (
    Writer(".npz", "all that a recording holds, to be read unchanged", write_npz),
    Writer(".csv", "times, places of joints and confidences; or features", write_csv),
    Writer(".trc", "times and places of joints, y up", write_trc),
    Writer(".bvh", "rotations, where the source has them: ASF/AMC, exponential maps, AMASS; y up", write_bvh),
    Writer(".nc", "times, places of joints and confidences, as `movement` reads them", write_movement, extra="h5"),
)


def write_recording(recording: Recording, path: Path | str) -> None:
    """Writes a file by its ending, as a whole or not at all; one that is there is replaced.

    Raises RecordingError for an ending that none has, ContractError for a recording that the format cannot hold, and
    OSError.
    """
    writer = writer_of(path)
    with new_file(path) as beside:
        writer.write(recording, beside)


def writer_of(path: Path | str) -> Writer:
    """What writes a file of this ending. Raises RecordingError for one that none has."""
    ending = Path(path).suffix.lower()
    writer = next((writer for writer in WRITERS if writer.ending == ending), None)
    if writer is None:
        known = ", ".join(writer.ending for writer in WRITERS)
        raise RecordingError(f"{path}: expected a file ending in {known}, got {ending or 'no ending'}")
    return writer
