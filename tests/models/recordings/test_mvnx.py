"""MVNX files, as the MVN manual describes them: segments, their tree, frames of motion only, nothing that unfolds."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording

SEGMENTS = ("Pelvis", "L5", "Right Foot")
JOINTS = (("Pelvis/jL5S1", "L5/jL5S1"), ("Pelvis/jRightHip", "Right Foot/jRightHip"))
PLACES = np.arange(18).reshape(2, 3, 3) / 8


def frame(places: NDArray[np.floating], index: str, kind: str = "normal") -> str:
    numbers = " ".join(map(repr, places.ravel().tolist()))
    return (
        f'<frame time="0" index="{index}" tc="1" ms="2" type="{kind}"><orientation>1 0 0 0</orientation>'
        f"<position>{numbers}</position><sensorFreeAcceleration>9 9 9</sensorFreeAcceleration></frame>\n"
    )


def mvnx(frames: str, head: str = "", rate: str = "60", segments: tuple[str, ...] = SEGMENTS) -> str:
    segment = (
        '<segment label="{}" id="{}"><points><point label="pOrigin"><pos_b>0 0 0</pos_b></point></points></segment>'
    )
    joint = '<joint label="j"><connector1>{}</connector1><connector2>{}</connector2></joint>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}\n<mvnx xmlns="http://www.xsens.com/mvn/mvnx" version="4">\n'
        f'<mvn version="2021"/><comment/>\n<subject label="Suit 1" frameRate="{rate}" segmentCount="{len(segments)}">\n'
        f"<segments>{''.join(segment.format(name, n) for n, name in enumerate(segments, 1))}</segments>\n"
        f"<joints>{''.join(joint.format(*ends) for ends in JOINTS)}</joints>\n"
        '<fingerTrackingSegmentsLeft><segment label="LeftCarpus" id="24"/></fingerTrackingSegmentsLeft>'
        f"<frames>\n{frames}</frames></subject></mvnx>"
    )


POSES = frame(PLACES[0], "", "identity") + frame(PLACES[0], "", "tpose")
MOTION = frame(PLACES[0], "0") + frame(PLACES[1], "1")


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "a.mvnx").write_text(text, encoding)
    return folder / "a.mvnx"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_segments_and_frames_of_motion(tmp_path: Path, encoding: str) -> None:
    recording = read_recording(written(tmp_path, mvnx(POSES + MOTION), encoding))
    assert np.array_equal(recording.frames, PLACES.reshape(2, 9))
    assert recording.timestamps_us.tolist() == [0, 16667]
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.parents) == (SEGMENTS, (-1, 0, 0))
    assert (skeleton.units, skeleton.up_axis, skeleton.rate_hz) == ("m", "z", 60.0)
    assert recording.notes == ("up axis: z, as Xsens has it", "2 frames of calibration left out")


def test_frames_that_are_missing_leave_a_gap(tmp_path: Path) -> None:
    text = mvnx(frame(PLACES[0], "7") + frame(PLACES[1], "67"))
    assert read_recording(written(tmp_path, text)).timestamps_us.tolist() == [0, 1_000_000]
    assert read_recording(written(tmp_path, text), rate_hz=120.0).timestamps_us.tolist() == [0, 500_000]


def test_frames_without_numbers_are_counted(tmp_path: Path) -> None:
    text = mvnx(MOTION.replace('index="0"', "").replace('index="1"', ""))
    assert read_recording(written(tmp_path, text)).timestamps_us.tolist() == [0, 16667]


def test_the_first_of_two_people_is_read(tmp_path: Path) -> None:
    text = mvnx(MOTION)
    second = text[text.index("<subject") : text.index("</mvnx>")].replace("0.125", "7")
    recording = read_recording(written(tmp_path, text.replace("</mvnx>", f"{second}</mvnx>")))
    assert np.array_equal(recording.frames, PLACES.reshape(2, 9))
    assert recording.notes[-1] == "1 more people left out"


def test_a_parent_that_comes_later_is_none(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, mvnx(MOTION, segments=("L5", "Pelvis", "Right Foot"))))
    assert recording.skeleton.parents == (-1, -1, 1)


@given(
    places=arrays(
        np.float32, st.tuples(st.integers(1, 4), st.just(3), st.just(3)), elements=st.floats(-50, 50, width=32)
    )
)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, places: NDArray[np.float32]) -> None:
    frames = "".join(frame(place, str(n)) for n, place in enumerate(places))
    recording = read_recording(written(tmp_path_factory.mktemp("mvnx"), mvnx(frames)))
    assert np.array_equal(recording.frames, places.reshape(len(places), -1))


BOMB = '<!DOCTYPE mvnx [<!ENTITY a "1 2 3"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a.mvnx: expected a whole MVNX file, got no element found"),
        ("<mvnx></mvnx>", "a.mvnx: expected an MVNX file with segments and frames .*, got 0 segments and 0 frames"),
        (mvnx(POSES), "got 3 segments and 0 frames"),
        (mvnx(MOTION)[:-60], "a.mvnx: expected a whole MVNX file, got .*: line"),
        (mvnx(MOTION, head=BOMB), "a.mvnx:1: expected XML without a document type, got <!DOCTYPE"),
        (
            mvnx(MOTION, head='<!DOCTYPE mvnx SYSTEM "file:///etc/passwd">'),
            "a.mvnx:1: expected XML without a document type",
        ),
        (mvnx(MOTION.replace("0.125", "&b;")), "a.mvnx: expected a whole MVNX file, got undefined entity"),
        (mvnx(MOTION.replace("0.125", "x")), "a.mvnx:8: expected a number, got 'x'"),
        (mvnx(MOTION.replace("0.125", "nan")), "a.mvnx:8: expected a finite number, got nan"),
        (mvnx(MOTION.replace("0.125", "")), "a.mvnx:8: expected x y z of 3 segments, got 8 numbers"),
        (mvnx(MOTION.replace("position>", "place>")), "a.mvnx:8: expected positions in frame 0, got none"),
        (mvnx(MOTION + MOTION), "a.mvnx:10: expected frame 2 or a later one, got '0'"),
        (mvnx(frame(PLACES[0], "1.5")), "a.mvnx:8: expected frame 0 or a later one, got '1.5'"),
        (mvnx(frame(PLACES[0], "first")), "a.mvnx:8: expected a number, got 'first'"),
        (mvnx(MOTION, rate=""), "a.mvnx: frameRate: expected a number, got ''"),
        (mvnx(MOTION, rate="0"), "a.mvnx: expected a frameRate above 0 Hz"),
        (mvnx(MOTION, segments=("a", "a", "b")), "a.mvnx: expected a name of its own for each joint, got 'a'"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read_recording(written(tmp_path, text))
