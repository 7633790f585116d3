"""SLEAP's analysis files: both orders of tracks, who is found most, how sure it was."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording

NODES = ("head", "thorax", "abdomen")
RNG = np.random.default_rng(0)
TRACKS = RNG.uniform(10, 900, (2, 5, 3, 2))
"""Two tracks, five frames, three nodes, x and y."""
TRACKS[0, 1:] = np.nan
TRACKS[1, 2, 1] = np.nan
SCORES = np.where(np.isnan(TRACKS[..., 0]), np.nan, 0.8)


def write(
    path: Path, tracks: np.ndarray, scores: np.ndarray | None = None, names: tuple[str, ...] = ("a", "b")
) -> Path:
    with h5py.File(path, "w") as file:
        file["tracks"] = tracks
        file["node_names"] = np.array(NODES, "S")
        file["track_names"] = np.array(names, "S")
        if scores is not None:
            file["point_scores"] = scores
    return path


@pytest.mark.parametrize("newer", [False, True])
def test_the_track_that_is_found_most(tmp_path: Path, newer: bool) -> None:
    tracks = TRACKS.transpose(1, 0, 2, 3) if newer else TRACKS.transpose(0, 3, 2, 1)
    scores = SCORES.transpose(1, 0, 2) if newer else SCORES.transpose(0, 2, 1)
    recording = read_recording(write(tmp_path / "a.h5", tracks, scores), 100.0)
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.representation) == (NODES, "positions2d")
    assert (skeleton.units, skeleton.up_axis, skeleton.level) == ("px", "-y", False)
    np.testing.assert_allclose(recording.frames, TRACKS[1].reshape(5, 6), rtol=1e-6)
    assert recording.confidences is not None
    np.testing.assert_allclose(recording.confidences[2], [0.8, 0, 0.8])
    assert recording.timestamps_us.tolist() == [0, 10_000, 20_000, 30_000, 40_000]
    assert recording.notes == ("individual: b, found in 5 of 5 frames; left out: a (1)",)


def test_one_that_was_not_tracked_has_no_name(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path / "a.h5", TRACKS[1:].transpose(0, 3, 2, 1), names=()))
    assert recording.confidences is None
    assert recording.notes == ("no times in the file: taken for 30 Hz",)


@pytest.mark.parametrize(
    ("tracks", "scores", "said"),
    [
        (np.zeros((2, 2, 4, 5)), None, r"expected tracks of shape \(tracks, 2, 3 nodes, frames\), got \(2, 2, 4, 5\)"),
        (np.zeros((2, 3)), None, r"expected tracks of shape .*, got \(2, 3\)"),
        (np.zeros((0, 2, 3, 5)), None, "expected frames of a track"),
        (np.zeros((1, 2, 3, 0)), None, "expected frames of a track"),
        (np.zeros((1, 2, 3, 5)), np.zeros((1, 3, 4)), r"expected point_scores for \(1, 5, 3\), got \(1, 4, 3\)"),
        (np.full((1, 2, 3, 5), np.nan), None, "expected places of joints, found none in 5 frames"),
        (np.full((1, 2, 3, 5), np.inf), None, "expected .*, (found none|got inf)"),
        (np.full((1, 2, 3, 5), b"x"), None, "expected at most .* numbers in /tracks, got"),
    ],
)
def test_a_file_of_something_else_is_refused(
    tmp_path: Path, tracks: np.ndarray, scores: np.ndarray | None, said: str
) -> None:
    with pytest.raises(RecordingError, match=said):
        read_recording(write(tmp_path / "a.h5", tracks, scores))
