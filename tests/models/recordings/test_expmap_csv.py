"""Comma separated exponential maps, known by their width."""

from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import H36M_EXPMAP_99, read_recording
from motionscribe_models.rotations import rotation_matrix, rotation_vector


@pytest.mark.parametrize(("width", "name"), [(96, "cmu-expmap"), (117, "cmu-expmap-117")])
def test_exponential_maps_are_known_by_their_width(tmp_path: Path, width: int, name: str) -> None:
    values = np.random.default_rng(1).normal(size=(4, width))
    np.savetxt(tmp_path / "a.txt", values, delimiter=",")
    recording = read_recording(tmp_path / "a.txt", rate_hz=30.0)
    assert recording.skeleton.name == name
    assert recording.skeleton.rate_hz == 30.0
    assert recording.timestamps_us.tolist() == [0, 33333, 66667, 100000]
    assert np.allclose(recording.frames, values, atol=1e-6)


def test_human36m_increments_are_added_up(tmp_path: Path) -> None:
    """A walk in a circle, taken apart into steps in the body's axes, comes back whole."""
    angle = np.linspace(0, 2 * np.pi, 60)
    place = np.stack([1000 * (1 - np.cos(angle)), 5 * np.sin(4 * angle), 1000 * np.sin(angle)], axis=1)
    stored = rotation_matrix(np.stack([0.1 * np.sin(angle), -angle, 0 * angle], axis=1))  # world to body
    stored = stored @ stored[0].T
    rows = np.zeros((60, 99))
    for k in range(1, 60):
        rows[k, :3] = stored[k - 1] @ (place[k] - place[k - 1])
        rows[k, 3:6] = rotation_vector(stored[k] @ stored[k - 1].T)
    rows[:, 6:] = np.random.default_rng(0).normal(size=(60, 93))
    np.savetxt(tmp_path / "walking_1.txt", rows, delimiter=",", fmt="%.9f")
    recording = read_recording(tmp_path / "walking_1.txt")
    assert recording.skeleton == H36M_EXPMAP_99
    assert np.abs(recording.frames[:, :3] - place).max() < 1e-3
    assert np.abs(rotation_matrix(recording.frames[:, 3:6]) - stored).max() < 1e-5
    assert np.allclose(recording.frames[:, 6:], rows[:, 6:], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty file"),
        ("\n\n", "empty file"),
        ("1,2,3\n", r"a\.txt:1: expected exponential maps of 96 .* 99 .* 117 .*got 3"),
        ("0," * 95 + "0\n" + "0," * 94 + "0\n", r"a\.txt:2: expected 96 columns, got 95"),
        ("0," * 95 + "0\n" + "0," * 95 + "zero\n", r"a\.txt:2: expected a number, got 'zero'"),
        ("0," * 95 + "nan\n", r"a\.txt:1: expected a finite number, got nan"),
        ("0," * 95 + "1e39\n", "expected finite numbers, got inf in frame 1"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "a.txt")
