"""annotations.py on the real annotation files, on broken ones, and back from what the CSV says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording
from motionscribe_training.data.annotations import (
    MOCAP6_NAMES,
    OPEN_END,
    Annotation,
    Boundary,
    Segment,
    find_annotation,
    normalise_name,
    read_mocap6_labels,
    read_mocap6_truelabels,
    read_segments_csv,
    read_transitions,
)

TWO = "2\r\n1 walking\r\n90 100 115 \r\n2 leg_kicking\r\n300\r\n\r\n"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


# ---- the real sets --------------------------------------------------------------------------


@pytest.mark.data
def test_subject_86_trial_1(data_dir: Path) -> None:
    found = find_annotation(data_dir / "sub86" / "01.mat")
    assert found is not None
    assert found.segments[:3] == (
        Segment(0, 550, "walk"),
        Segment(550, 1150, "jump_forward"),
        Segment(1150, 1980, "walk"),
    )
    assert found.boundaries[0] == Boundary(500, 550, 600)
    assert found.names == ("walk", "jump_forward", "punch", "leg_kick")
    assert found.tolerant


@pytest.mark.data
def test_every_trial_of_subject_86_fits_its_recording(data_dir: Path) -> None:
    trials = sorted((data_dir / "sub86").glob("*.mat"))
    assert len(trials) == 7
    for path in trials:
        annotation = find_annotation(path)
        assert annotation is not None
        frames = len(read_recording(path).frames)
        labels = annotation.fitted(frames).labels(frames)
        assert set(labels.tolist()) == set(range(len(annotation.names)))
        assert {"walking", "punching"}.isdisjoint(annotation.names)
        # as annotated, each action lasts a second at least
        assert all(segment.end - segment.start >= 120 for segment in annotation.segments)


@pytest.mark.data
def test_the_raw_and_the_mat_file_of_a_trial_share_their_annotation(data_dir: Path) -> None:
    for trial in ("01", "09"):
        raw = find_annotation(data_dir / "cmu_raw" / f"86_{trial}.amc")
        assert raw is not None
        assert raw == find_annotation(data_dir / "sub86" / f"{trial}.mat")


@pytest.mark.data
@pytest.mark.parametrize("trial", ["13_29", "13_30", "14_14"])
def test_both_forms_of_mocap6_labels_agree(data_dir: Path, trial: str) -> None:
    recording = data_dir / "mocap6" / "amc" / f"{trial}.amc"
    frames = len(read_recording(recording).frames)
    fine = read_mocap6_labels(data_dir / "mocap6" / "expmap" / f"{trial}.npz")
    coarse = read_mocap6_truelabels(data_dir / "mocap6" / "truelabels" / f"{trial}.txt")
    assert find_annotation(recording) == fine
    assert fine.fitted(frames) == coarse.fitted(frames)
    assert set(fine.names) <= set(MOCAP6_NAMES)
    assert not fine.tolerant


@pytest.mark.data
def test_recordings_without_an_annotation_and_those_named_after_their_action(data_dir: Path) -> None:
    assert find_annotation(data_dir / "cmu_amc" / "01_01.amc") is None
    assert find_annotation(data_dir / "bvh" / "walk01.bvh") is None
    assert find_annotation(data_dir / "sub86" / "01_gt.txt") is None
    found = find_annotation(data_dir / "cmu8" / "basketball_signal_2.txt")
    assert found is not None
    assert found.segments == (Segment(0, OPEN_END, "basketball_signal"),)
    assert found.fitted(3151).segments == (Segment(0, 3151, "basketball_signal"),)
    running = find_annotation(data_dir / "cmu8" / "running_1.txt")
    assert running is not None
    assert running.names == ("run",)


# ---- forms of the files ---------------------------------------------------------------------


def test_the_last_transition_line_may_be_missing(tmp_path: Path) -> None:
    whole = read_transitions(written(tmp_path / "01_gt.txt", TWO))
    open_ended = read_transitions(written(tmp_path / "02_gt.txt", TWO.replace("300\r\n", "")))
    assert whole.segments == (Segment(0, 100, "walk"), Segment(100, 300, "leg_kick"))
    assert open_ended.segments[-1].end == OPEN_END
    assert open_ended.fitted(300) == whole.fitted(300) == whole


def test_a_tolerance_typed_on_the_wrong_side_is_narrowed_to_the_best(tmp_path: Path) -> None:
    found = read_transitions(written(tmp_path / "01_gt.txt", TWO.replace("90 100 115", "104 100 99")))
    assert found.boundaries == (Boundary(100, 100, 100),)


def test_csv_counts_frames_from_one_and_joins_what_is_one_action(tmp_path: Path) -> None:
    path = written(
        tmp_path / "take.csv",
        "segment,name,start_seq,end_seq\n1,Walking,1,101\n2,walk,101,151\n3,leg kick,151,301\n",
    )
    found = find_annotation(tmp_path / "take.npz")
    assert found == read_segments_csv(path)
    assert found.segments == (Segment(0, 150, "walk"), Segment(150, 300, "leg_kick"))
    assert found.labels(302).tolist() == [0] * 150 + [1] * 150 + [-1, -1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_is_read_as_any_program_saves_it(tmp_path: Path, encoding: str, separator: str) -> None:
    text = "# von Jörg\r\nstart_seq,end_seq,name\r\n\r\n1,101,Müde gehen\r\n101,151,stehen\r\n".replace(",", separator)
    (tmp_path / "take.csv").write_bytes(text.encode(encoding))
    found = find_annotation(tmp_path / "take.amc")
    assert found is not None
    assert found.segments == (Segment(0, 100, "müde_gehen"), Segment(100, 150, "stehen"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_transitions_are_read_as_any_program_saves_them(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "01_gt.txt").write_bytes(TWO.replace("walking", "für").encode(encoding))
    assert read_transitions(tmp_path / "01_gt.txt").names == ("für", "leg_kick")


def test_a_csv_of_something_else_is_no_annotation(tmp_path: Path) -> None:
    written(tmp_path / "take.csv", "0.1,0.2\n0.3,0.4\n")
    assert find_annotation(tmp_path / "take.npz") is None
    assert find_annotation(tmp_path / "take.csv") is None


def test_trial_numbers_are_looked_up_next_door(tmp_path: Path) -> None:
    written(tmp_path / "sub86" / "05_gt.txt", TWO)
    assert find_annotation(tmp_path / "raw" / "86_05.amc") == read_transitions(tmp_path / "sub86" / "05_gt.txt")
    assert find_annotation(tmp_path / "raw" / "87_05.amc") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("walking", "walk"),
        (" Leg Kicking ", "leg_kick"),
        ("jump_up", "jump_up"),
        ("standing_and_clapping", "standing_and_clapping"),
        ("jump-on-left-leg", "jump_on_left_leg"),
    ],
)
def test_one_spelling_of_an_action(name: str, expected: str) -> None:
    assert normalise_name(name) == expected
    assert normalise_name(expected) == expected


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from("abc")), min_size=1, max_size=8))
def test_csv_says_what_was_written(tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, str]]) -> None:
    labels = np.concatenate([np.full(length, ord(name)) for length, name in pieces])
    lines, start = ["start_seq,end_seq,name"], 1
    for length, name in pieces:
        lines.append(f"{start},{start + length},{name}")
        start += length
    found = read_segments_csv(written(tmp_path_factory.mktemp("csv") / "take.csv", "\n".join(lines)))
    assert [ord(found.names[label]) for label in found.labels(len(labels))] == labels.tolist()
    assert all(one.name != two.name for one, two in zip(found.segments, found.segments[1:], strict=False))


# ---- fitting a recording --------------------------------------------------------------------


def test_an_end_that_is_nearly_right_becomes_the_recording_s() -> None:
    annotation = Annotation((Segment(0, 500, "a"), Segment(500, 1000, "b")), (Boundary(450, 500, 550),))
    for frames in (990, 1001, 1020):
        assert annotation.fitted(frames).segments[-1] == Segment(500, frames, "b")
    assert annotation.fitted(1200) == annotation
    assert annotation.fitted(1200).labels(1200)[1000:].tolist() == [-1] * 200
    with pytest.raises(RecordingError, match="expected a recording of 1000 frames, as annotated, got 970"):
        annotation.fitted(970)
    with pytest.raises(RecordingError, match="got 400"):
        Annotation((Segment(0, 500, "a"), Segment(500, OPEN_END, "b")), annotation.boundaries).fitted(400)


# ---- malformed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "number of segments"),
        ("two\r\n1 walk\r\n10\r\n", "whole number, got 'two'"),
        ("3" + TWO[1:], "expected 3 segments of two lines each, got 4"),
        (TWO.replace("90 100 115", "90 100"), r"latest frame of segment 1, got \[90, 100\]"),
        (TWO.replace("90 100 115", "90 x 115"), "got 'x'"),
        (TWO.replace("1 walking", "1"), "an index and a name, got '1'"),
        (TWO.replace("1 walking", "walking 1"), "got 'walking'"),
        (TWO.replace("300", "80"), "start before the end"),
    ],
)
def test_malformed_transitions(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(RecordingError, match=expected) as error:
        read_transitions(written(tmp_path / "01_gt.txt", text))
    assert "01_gt.txt" in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start_seq,end_seq,label\n1,10,a\n", "expected columns start_seq, end_seq, name"),
        ("start_seq,end_seq,name\n", "segments from frame 0"),
        ("start_seq,end_seq,name\n1,10,a\n20,30,b\n", "without holes or overlaps"),
        ("start_seq,end_seq,name\n1,10,a\n5,30,b\n", "without holes or overlaps"),
        ("start_seq,end_seq,name\n0,10,a\n", "segments from frame 0"),
        ("start_seq,end_seq,name\n1,10,a\n10,ten,b\n", "whole number, got 'ten'"),
        ("start_seq,end_seq,name\n1,10\n", "line 2: expected start_seq, end_seq, name"),
        ("start_seq,end_seq,name\n1,10, \n", "line 2"),
    ],
)
def test_malformed_csv(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(RecordingError, match=expected):
        read_segments_csv(written(tmp_path / "take.csv", text))


def test_malformed_mocap6(tmp_path: Path) -> None:
    path = tmp_path / "13_29.npz"
    names = np.array(MOCAP6_NAMES)
    for arrays, expected in (
        ({"labels": np.array([1, 2])}, "labels and label_names"),
        ({"labels": np.array([0, 1]), "label_names": names}, r"expected labels 1 to 12, got \[0, 1\]"),
        ({"labels": np.array([13]), "label_names": names}, r"got \[13\]"),
        ({"labels": np.array([1.5]), "label_names": names}, "whole numbers, got float64"),
        ({"labels": np.zeros((0,), int), "label_names": names}, r"got \[\]"),
        ({"labels": np.array([{}]), "label_names": names}, "labels and label_names"),
    ):
        np.savez(path, allow_pickle=True, **arrays)
        with pytest.raises(RecordingError, match=expected):
            read_mocap6_labels(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RecordingError, match=r"13_29\.npz"):
        read_mocap6_labels(path)
    with pytest.raises(RecordingError, match=r"got '1\.5'"):
        read_mocap6_truelabels(written(tmp_path / "truelabels" / "13_29.txt", "1 1.5"))
    with pytest.raises(RecordingError, match="expected a text file"):
        read_mocap6_truelabels(tmp_path / "absent.txt")


def test_boundaries_must_be_those_of_the_segments() -> None:
    segments = (Segment(0, 10, "a"), Segment(10, 20, "b"))
    for boundaries in ((), (Boundary(9, 9, 9),), (Boundary(11, 10, 12),)):
        with pytest.raises(RecordingError, match="expected"):
            Annotation(segments, boundaries)
