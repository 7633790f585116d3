"""Acclaim motion (AMC), as of the CMU motion capture database, to exponential maps.

A frame becomes root tx ty tz, then per bone in the ASF's order the rotation vector, negated, of its angles about fixed
axes, turned in the order of the bone's axis; a degree of freedom that a bone lacks is 0. Translations stay in file
units. The bones' own `axis` is left out of the frames, as in the 96-column sets made from these files, and kept in the
skeleton for pictures. The skeleton is that of a file beside the motion, or CMU's; the recording's notes say which.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.acclaim import CMU, Acclaim, read_asf
from motionscribe_models.recordings.files import files_in
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.skeletons import CMU_EXPMAP
from motionscribe_models.recordings.table import read_number
from motionscribe_models.recordings.text import read_lines
from motionscribe_models.rotations import euler_vector

UNITS = {":DEGREES": 1.0, ":RADIANS": float(np.degrees(1.0))}
"""Degrees in one, by the line that says so."""
_NUMBER = re.compile("[0-9]{1,9}")


@dataclass(frozen=True)
class _Frame:
    """A frame of the file: the line of its number, and by bone the line and the words of its numbers."""

    number: int
    line: int
    bones: dict[str, tuple[int, list[str]]]


def read_amc(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the line where the file is no AMC, is cut off, or does not fit its skeleton.

    Frames whose numbers are missing leave a gap.
    """
    lines = read_lines(path)
    start = next((i for i, line in enumerate(lines) if _NUMBER.fullmatch(line.strip())), len(lines))
    units = [UNITS[word] for line in lines[:start] if (word := line.strip().upper()) in UNITS]
    if not units or start == len(lines):
        raise RecordingError(f"{path}: expected an AMC file: a line :DEGREES or :RADIANS, then numbered frames")
    frames = _split_frames(lines[start:], path, start + 1)
    if len(frames) > 1 and frames[-1].bones.keys() < frames[0].bones.keys():
        raise RecordingError(
            f"{path}:{len(lines)}: expected {len(frames[0].bones)} bones in the last frame, got "
            f"{len(frames[-1].bones)}: the file is cut off"
        )
    asf, tried = find_asf(path, lines[:start])
    acclaim = read_asf(asf, CMU_EXPMAP.rate_hz) if asf else CMU
    whose = asf.name if asf else "built-in CMU"
    _check_fit(frames, acclaim, path, whose if asf else f"{whose}; no skeleton file is here, tried {', '.join(tried)}")
    skeleton = replace(acclaim.skeleton, rate_hz=rate_hz or acclaim.skeleton.rate_hz)
    values = np.zeros((len(frames), skeleton.width))
    for joint, name in enumerate(skeleton.joints):
        angles = np.zeros((len(values), 3))
        freedoms = acclaim.freedoms.get(name, ())
        numbers = _numbers(frames, name, path) if freedoms else np.zeros((len(values), 0))
        for column, freedom in enumerate(freedoms):
            target = values if freedom[0] == "t" else angles
            target[:, "xyz".index(freedom[1])] = numbers[:, column]
        if units[-1] != 1:
            angles *= units[-1]
        values[:, 3 + 3 * joint : 6 + 3 * joint] = -euler_vector(angles, acclaim.orders.get(name, "xyz"))
    if any(acclaim.position):
        values[:, :3] += acclaim.position
    since = np.array([frame.number - frames[0].number for frame in frames])
    times = np.asarray(np.rint(since * (1e6 / skeleton.rate_hz)), dtype=np.int64)
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, which Recording refuses
        return Recording(path.stem, values.astype(np.float32), times, skeleton, _notes(frames, whose))


def find_asf(path: Path, comments: Sequence[str]) -> tuple[Path | None, list[str]]:
    """The skeleton file that belongs to a motion, None for none, and the names that were looked for, in any case.

    In order: the motion's own name; the file that its comment `#!OML:ASF` names; a name that the motion's begins with,
    up to a `_`, `-`, `.` or space; the only one in the folder.
    """
    named = [match[1] for line in comments if (match := re.match(r"\s*#!\s*OML:ASF\s+(.*\S)", line))]
    stems = [path.stem, *(PureWindowsPath(name).stem for name in named)]  # which knows slashes, too
    ends = [found.start() for found in re.finditer(r"[_\-. ]", path.stem) if found.start()]
    wanted = list(dict.fromkeys([*stems, *(path.stem[:end] for end in reversed(ends))]))
    here = [file for file in files_in(path.parent) if file.suffix.lower() == ".asf"]
    by_stem = {file.stem.lower(): file for file in reversed(here)}
    found = next((by_stem[stem.lower()] for stem in wanted if stem.lower() in by_stem), None)
    if found is None and len(here) == 1:
        found = here[0]
    return found, [f"{stem}.asf" for stem in wanted]


def _split_frames(lines: Sequence[str], path: Path, first_line: int) -> list[_Frame]:
    """Lines to frames. A frame is a line with its number, then a line for each bone."""
    frames: list[_Frame] = []
    for line, text in enumerate(lines, first_line):
        words = text.split("#", 1)[0].split()
        if not words or words[0].startswith(":"):
            continue
        if len(words) == 1 and _NUMBER.fullmatch(words[0]):
            number = int(words[0])
            if frames and number <= frames[-1].number:
                raise RecordingError(
                    f"{path}:{line}: expected frame {frames[-1].number + 1} or a later one, got {words[0]!r}"
                )
            frames.append(_Frame(number, line, {}))
        elif words[0] in frames[-1].bones:
            raise RecordingError(f"{path}:{line}: expected each bone once in frame {frames[-1].number}, got {words[0]}")
        else:
            frames[-1].bones[words[0]] = line, words[1:]
    return frames


def _check_fit(frames: Sequence[_Frame], acclaim: Acclaim, path: Path, whose: str) -> None:
    """Raises RecordingError unless every frame has the skeleton's moving bones, each with its degrees of freedom."""
    freedoms = acclaim.freedoms
    for frame in frames:
        if frame.bones.keys() != freedoms.keys():
            stray = sorted(frame.bones.keys() ^ freedoms.keys())
            raise RecordingError(
                f"{path}:{frame.line}: expected a frame of the {len(freedoms)} moving bones of its skeleton ({whose}); "
                f"differs in {', '.join(stray[:5])}"
            )
        for name, (line, words) in frame.bones.items():
            if len(words) != len(freedoms[name]):
                raise RecordingError(
                    f"{path}:{line}: expected {name} and {len(freedoms[name])} numbers, by its skeleton ({whose}), "
                    f"got {' '.join([name, *words])[:60]!r}"
                )


def _numbers(frames: Sequence[_Frame], name: str, path: Path) -> NDArray[np.float64]:
    """The numbers (n, k) of a bone in all frames."""
    rows = [frame.bones[name] for frame in frames]
    return np.array([[read_number(word, f"{path}:{line}") for word in words] for line, words in rows])


def _notes(frames: Sequence[_Frame], whose: str) -> tuple[str, ...]:
    missing = frames[-1].number - frames[0].number + 1 - len(frames)
    return (f"skeleton: {whose}", *([f"{missing} frames are missing"] if missing else []))
