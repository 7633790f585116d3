"""Joints that no table knows are called what a file of the user's says."""

from dataclasses import replace
from pathlib import Path

import pytest

from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.body.own_names import read_own_names, renamed
from motionscribe_models.errors import LayoutError, RecordingError
from motionscribe_models.skeleton import Skeleton

POINTS = tuple(f"P{number}" for number in range(len(SEEN) + 2))
RIG = Skeleton("rig", POINTS, (-1,) * len(POINTS), "positions", "m", 1.0, "y", 60.0)
LINES = "\n".join(f"{joint}: P{number + 2}" for number, joint in enumerate(SEEN))


def written(folder: Path, text: str) -> Path:
    path = folder / "joints.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_rig_of_numbers_is_a_body_where_its_owner_says_so(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="expected a body"):
        find_mapping(RIG)
    names = read_own_names(written(tmp_path, f"# our rig\n\n{LINES}  # the last\n"))
    mapping = find_mapping(renamed(RIG, names))
    assert mapping.missing == ()
    assert [sums[0] for sums in mapping.sums] == [((joint, 1.0),) for joint in SEEN]


def test_a_joint_that_is_called_so_by_mistake_makes_way(tmp_path: Path) -> None:
    rig = replace(RIG, joints=("left_wrist", *POINTS[1:]))  # it lies elsewhere
    named = renamed(rig, read_own_names(written(tmp_path, LINES)))
    assert named.joints[0] == "other left_wrist"
    assert find_mapping(named).missing == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected lines such as `left_shoulder: LSHO`, got none"),
        ("head: P1\nhand: P2", r"joints.txt, line 2: expected a joint of the body and yours, .*, got 'hand: P2'"),
        ("head P1", "line 1: expected a joint of the body and yours"),
        ("head:", "line 1: expected a joint of the body and yours"),
        ("head: P1\nhead: P2", "line 2: expected each joint once, got 'head: P2' again"),
        ("head: P1\nleft_hip: P1", "line 2: expected each joint once"),
    ],
)
def test_a_file_that_says_nothing_is_refused_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        read_own_names(written(tmp_path, text))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "joints.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecordingError, match=r"joints\.txt: expected utf-16 text"):
        read_own_names(tmp_path / "joints.txt")
    (tmp_path / "joints.txt").write_bytes(b"#" * 2_000_000)
    with pytest.raises(RecordingError, match="expected names of joints, got 2000000 bytes"):
        read_own_names(tmp_path / "joints.txt")


def test_joints_that_are_not_there_are_named() -> None:
    with pytest.raises(LayoutError, match=r"rig: expected joints that there are, got Q1; there are P0, P1"):
        renamed(RIG, {"Q1": "head"})
