"""MATLAB files that are cut off or of something else are refused; without scipy the error is a command."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from motionscribe_models.errors import MissingExtraError, RecordingError
from motionscribe_models.recordings import read_recording


@pytest.mark.data
@pytest.mark.parametrize("share", [0.001, 0.3, 0.95])
def test_a_truncated_mat_file_is_refused(data_dir: Path, tmp_path: Path, share: float) -> None:
    whole = (data_dir / "sub86" / "01.mat").read_bytes()
    (tmp_path / "cut.mat").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RecordingError, match=r"cut\.mat: expected"):
        read_recording(tmp_path / "cut.mat")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"other": np.zeros((3, 96))}, "expected a variable expmapchannels, got other"),
        ({"expmapchannels": np.zeros((3, 62))}, "expected 96 columns of expmapchannels, got 62"),
        ({"expmapchannels": "text"}, "expected expmapchannels to be a matrix of numbers"),
        ({"expmapchannels": np.full((3, 96), np.nan)}, "expected finite numbers, got nan in frame 1"),
        ({"expmapchannels": np.full((3, 96), 1e300)}, "expected finite numbers, got inf in frame 1"),
    ],
)
def test_a_foreign_mat_file_is_refused(tmp_path: Path, content: dict[str, object], said: str) -> None:
    savemat(tmp_path / "x.mat", content)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "x.mat")


def test_mat_without_scipy_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.mat").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[mat\]"'):
        read_recording(tmp_path / "x.mat")
