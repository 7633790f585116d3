"""The files of a recording: FILE for its one person, FILE-ID for each of several. What came waits until it is written.

A file that cannot be written is told once, holds up no other one, and is tried again with the next writing. Meanwhile
its frames wait in memory, up to a bound: those that come beyond it are lost, and counted.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from motionscribe.errors import BadFile
from motionscribe.sources.takes import Part
from motionscribe_models.recordings.npz import append_take
from motionscribe_models.recordings.take import Take, joined
from motionscribe_proto.names import escape

log = logging.getLogger(__name__)

MOST_WAITING = 256 << 20
"""Bytes of frames that wait, of all files together."""


@dataclass
class _File:
    path: Path
    waiting: Take | None = None
    pieces: int = 0
    frames: int = 0
    """That it holds."""
    lost: int = 0
    why: str = ""
    """What keeps it from being written."""

    @property
    def size(self) -> int:
        """Bytes that wait."""
        take = self.waiting
        if take is None:
            return 0
        arrays = take.frames, take.times_us, take.arrived_us, take.confidences
        return sum(array.nbytes for array in arrays if array is not None)


class TakeFiles:
    """Raises BadFile where `output`, or a file of a person there, exists."""

    def __init__(self, output: Path, *, several: bool) -> None:
        there = [output] if output.exists() else []
        if several:
            names = (path for path in output.parent.iterdir() if path.suffix.lower() == output.suffix.lower())
            there += sorted(path for path in names if path.name.startswith(f"{output.stem}-"))
        if there:
            raise BadFile(f"expected a new file, got {there[0]}, which exists")
        self._output = output
        self._several = several
        self._files: dict[Part, _File] = {}

    def add(self, takes: dict[Part, Take]) -> None:
        """What came, to be written."""
        for part, take in takes.items():
            if part not in self._files:
                self._files[part] = _File(self._free_path(part))
            file = self._files[part]
            if sum(file.size for file in self._files.values()) > MOST_WAITING:
                file.lost += len(take.frames)
            else:
                file.waiting = joined([file.waiting, take]) if file.waiting else take

    def write(self) -> None:
        """Writes what waits, as far as it can be written."""
        for file in self._files.values():
            if file.waiting is None:
                continue
            try:
                self._append(file, file.waiting)
            except OSError as error:
                if not file.why:
                    log.warning("%s: %s: tried again every minute", escape(str(file.path)), error.strerror or error)
                file.why = str(error.strerror or error)

    @property
    def frames(self) -> dict[Path, int]:
        """How many each file holds."""
        return {file.path: file.frames for file in self._files.values() if file.frames}

    def check(self) -> None:
        """Raises BadFile where something is lost, when nothing more is written."""
        said = []
        for file in self._files.values():
            lost = file.lost + (len(file.waiting.frames) if file.waiting else 0)
            if lost:
                said.append(f"{file.path}: {lost} frames are lost: {file.why}")
        if said:
            raise BadFile("; ".join(said))

    def _append(self, file: _File, take: Take) -> None:
        if file.pieces and not file.path.exists() and file.path.parent.is_dir():
            log.warning("%s: it is gone, with %d frames: it begins anew", escape(str(file.path)), file.frames)
            file.lost, file.frames, file.pieces, file.why = file.lost + file.frames, 0, 0, "the file was removed"
        if not file.pieces and file.path.exists():
            path = self._free(file.path.stem)
            log.warning("%s: it exists: written as %s", escape(str(file.path)), escape(path.name))
            file.path = path
        append_take(take, file.path, file.pieces)
        file.pieces, file.frames, file.waiting = file.pieces + 1, file.frames + len(take.frames), None

    def _free_path(self, part: Part) -> Path:
        stem = f"{self._output.stem}-{part.person}" if self._several else self._output.stem
        return self._free(f"{stem}-skeleton-{part.skeleton + 1}" if part.skeleton else stem, also_there=True)

    def _free(self, stem: str, *, also_there: bool = False) -> Path:
        """A path that no other file here has, and, unless `also_there`, where no file is."""
        taken, number = {file.path.name.lower() for file in self._files.values()}, 1
        while True:
            name = f"{stem}-{number}" if number > 1 else stem
            path = self._output.with_name(name + self._output.suffix)
            if path.name.lower() not in taken and (also_there or not path.exists()):
                return path
            number += 1
