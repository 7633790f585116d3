"""Xsens MVN files (MVNX): the places of the segments' origins, in metres, z up, of the first person in the file.

Frames that are no motion (the poses of the calibration, which come first) are left out. The XML may declare nothing of
its own: a document type, with which a small file could unfold into a large one, is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.places import METRE, check_names, places_recording, places_skeleton
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.table import read_number, read_numbers
from motionscribe_models.recordings.text import read_text

_TEXTS = ("position", "connector1", "connector2")
"""Elements whose text counts."""


@dataclass
class _Content:
    """What was read until now."""

    people: int = 0
    rate: str = ""
    segments: list[str] = field(default_factory=list)
    joints: list[dict[str, str]] = field(default_factory=list)
    """The names of the segments, by `connector1` (the parent's) and `connector2`."""
    numbers: list[int] = field(default_factory=list)
    """Of frames."""
    places: list[Array] = field(default_factory=list)
    left_out: int = 0


def read_mvnx(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the line where the file is no MVNX, is cut off, or a frame lacks segments."""
    content = _parse(read_text(path), path)
    if not content.segments or not content.places:
        raise RecordingError(
            f"{path}: expected an MVNX file with segments and frames of the type normal, got "
            f"{len(content.segments)} segments and {len(content.places)} frames"
        )
    check_names(content.segments, str(path))
    rate = rate_hz or read_number(content.rate, f"{path}: frameRate")
    if not 0 < rate < 1e6:
        raise RecordingError(f"{path}: expected a frameRate above 0 Hz and below 1 MHz, got {rate}")
    index = {name: i for i, name in enumerate(content.segments)}
    parents = [-1] * len(index)
    for joint in content.joints:
        parent, child = (index.get(joint.get(end, ""), -1) for end in ("connector1", "connector2"))
        if parent < child:
            parents[child] = parent
    notes = ["up axis: z, as Xsens has it"]
    notes += [f"{content.left_out} frames of calibration left out"] if content.left_out else []
    notes += [f"{content.people - 1} more people left out"] if content.people > 1 else []
    since = np.array(content.numbers) - content.numbers[0]
    times = np.asarray(np.rint(since * (1e6 / rate)), dtype=np.int64)
    skeleton = places_skeleton("mvnx", content.segments, METRE, "z", rate, parents)
    return places_recording(path, np.array(content.places), times, skeleton, notes)


def _parse(text: str, path: Path) -> _Content:
    content = _Content()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    words: list[str] = []
    within: list[str] = []
    in_frame = False

    def place() -> str:
        return f"{path}:{parser.CurrentLineNumber}"

    def refuse_declarations(*declared: object) -> None:
        raise RecordingError(f"{place()}: expected XML without a document type, got <!DOCTYPE")

    def start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal in_frame
        words.clear()
        name = element.rpartition(" ")[2]
        outer = within[-1] if within else ""
        within.append(name)
        content.people += name == "subject"
        if content.people != 1:
            return
        if name == "subject":
            content.rate = attributes.get("frameRate", "")
        elif (outer, name) == ("segments", "segment"):  # those of fingers stand elsewhere
            content.segments.append(attributes.get("label", ""))
        elif name == "joint":
            content.joints.append({})
        elif name == "frame":
            in_frame = attributes.get("type", "normal") == "normal"
            content.left_out += not in_frame
            if in_frame:
                content.numbers.append(_number(attributes, content.numbers, place()))
        parser.CharacterDataHandler = words.append if name in _TEXTS else None

    def end(element: str) -> None:
        name = within.pop()
        parser.CharacterDataHandler = None
        if content.people != 1:
            return
        if name == "position" and in_frame and len(content.places) < len(content.numbers):
            content.places.append(_places("".join(words), len(content.segments), place()))
        elif name in ("connector1", "connector2") and content.joints:
            content.joints[-1][name] = "".join(words).strip().partition("/")[0]
        elif name == "frame" and len(content.places) < len(content.numbers):
            raise RecordingError(f"{place()}: expected positions in frame {content.numbers[-1]}, got none")

    parser.StartDoctypeDeclHandler = refuse_declarations
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise RecordingError(f"{path}: expected a whole MVNX file, got {error}") from None
    return content


def _number(attributes: Mapping[str, str], before: list[int], place: str) -> int:
    """The number of a frame, by its index where it has one, else the next."""
    following = before[-1] + 1 if before else 0
    written = attributes.get("index", "")
    number = read_number(written, place) if written else following
    if number < following or number != int(number) or number > 1e12:
        raise RecordingError(f"{place}: expected frame {following} or a later one, got {written[:40]!r}")
    return int(number)


def _places(text: str, segments: int, place: str) -> Array:
    """(segments, 3) of the text of an element."""
    words = text.split()
    if len(words) != 3 * segments:
        raise RecordingError(f"{place}: expected x y z of {segments} segments, got {len(words)} numbers")
    return read_numbers(words, place).reshape(segments, 3)
