"""Names of joints that no table knows: a file of the user's says which joint of the body is which of the source's.

In: lines such as `left_shoulder: LSHO`, blank ones and comments (`#`). Out: a skeleton whose joints are called so, as
the tables know them. Joints that the file does not name stay as they are, but take nobody's place.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from motionscribe_models.body.joints import SEEN
from motionscribe_models.errors import LayoutError, RecordingError
from motionscribe_models.recordings.text import read_text, split_lines
from motionscribe_models.skeleton import Skeleton

MOST_BYTES = 1 << 20


def read_own_names(path: Path) -> dict[str, str]:
    """Joint of the source -> joint of the canonical body. Raises RecordingError with the line, OSError."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise RecordingError(f"{path}: expected names of joints, got {size} bytes")
    names: dict[str, str] = {}
    for number, line in enumerate(split_lines(read_text(path)), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        wanted, colon, own = (part.strip() for part in text.partition(":"))
        if not colon or not own or wanted not in SEEN:
            raise RecordingError(
                f"{path}, line {number}: expected a joint of the body and yours, such as `left_shoulder: LSHO`, "
                f"of {', '.join(SEEN)}, got {text[:80]!r}"
            )
        if own in names or wanted in names.values():
            raise RecordingError(f"{path}, line {number}: expected each joint once, got {text[:80]!r} again")
        names[own] = wanted
    if not names:
        raise RecordingError(f"{path}: expected lines such as `left_shoulder: LSHO`, got none")
    return names


def renamed(skeleton: Skeleton, names: Mapping[str, str]) -> Skeleton:
    """The skeleton with joints called as `names` says. Raises LayoutError for joints that it does not have."""
    if strangers := [own for own in names if own not in skeleton.joints]:
        raise LayoutError(
            f"{skeleton.name}: expected joints that there are, got {', '.join(strangers[:6])}; "
            f"there are {', '.join(skeleton.joints[:40])}"
        )
    taken = set(names.values())
    joints = [names.get(own, f"other {own}" if own in taken else own) for own in skeleton.joints]
    return replace(skeleton, joints=tuple(joints))
