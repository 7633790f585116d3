"""netCDF files of `movement`: dimensions by their names, in both spellings, and times of two kinds."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording

JOINTS = ("Nose", "LeftHip", "LeftAnkle", "RightAnkle")


def body(axes: int) -> np.ndarray:
    """(time 6, axes, keypoints 4, individuals 2): an upright body of 1.6, and one that is found once."""
    places = np.zeros((6, axes, 4, 2))
    places[:, axes - 1, :, :] = np.array([1.6, 0.9, 0.1, 0.1])[:, None]
    places += np.random.default_rng(0).uniform(0, 0.05, places.shape)
    places[1:, :, :, 0] = np.nan
    return places


def write(
    path: Path, places: np.ndarray, dims: tuple[str, ...], names: dict[str, Any] | None = None, **attributes: Any
) -> Path:
    """As xarray's engines write it: a scale for each dimension, with its number, and its names or times."""
    found = {"time": np.arange(6) / 25, "space": "xyz"[: places.shape[dims.index("space")]], **(names or {})}
    with h5py.File(path, "w") as file:
        file.attrs.update({"fps": 25.0, "time_unit": "seconds", "source_software": "SLEAP", **attributes})
        for dim in dims:
            values = found.get(dim, JOINTS if dim.startswith("keypoint") else ("a", "b"))
            text = isinstance(values, str | tuple)
            file.create_dataset(dim, data=list(values), dtype=h5py.string_dtype() if text else None)
            file[dim].make_scale(dim)
            file[dim].attrs["_Netcdf4Dimid"] = dims.index(dim)
        file["position"] = places
        file["position"].attrs["_Netcdf4Coordinates"] = np.arange(len(dims))
        rest = [(n, dim) for n, dim in enumerate(dims) if dim != "space"]
        file["confidence"] = np.full([places.shape[n] for n, _ in rest], 0.7)
        file["confidence"].attrs["_Netcdf4Coordinates"] = np.array([n for n, _ in rest])
    return path


PLURAL = ("time", "space", "keypoints", "individuals")


@pytest.mark.parametrize("dims", [PLURAL, ("time", "space", "keypoint", "individual")])
def test_an_image_in_both_spellings(tmp_path: Path, dims: tuple[str, ...]) -> None:
    places = body(2) * 300
    recording = read_recording(write(tmp_path / "a.nc", places, dims))
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.representation, skeleton.units) == (JOINTS, "positions2d", "px")
    assert skeleton.rate_hz == 25
    assert recording.timestamps_us[1] == 40_000
    np.testing.assert_allclose(recording.frames[3].reshape(4, 2), places[3, :, :, 1].T, rtol=1e-6)
    assert recording.confidences is not None
    assert recording.confidences.shape == (6, 4)
    assert recording.notes == ("individual: b, found in 6 of 6 frames; left out: a (1)",)


def test_space_in_any_order_of_dimensions(tmp_path: Path) -> None:
    places = body(3)
    path = write(tmp_path / "a.nc", places.transpose(3, 2, 0, 1), ("individuals", "keypoints", "time", "space"))
    recording = read_recording(path, 50.0)
    assert (recording.skeleton.units, recording.skeleton.up_axis, recording.skeleton.level) == ("m", "z", True)
    np.testing.assert_allclose(recording.frames[3].reshape(4, 3), places[3, :, :, 1].T, rtol=1e-6)
    assert recording.timestamps_us[1] == 20_000


def test_times_may_be_numbers_of_frames(tmp_path: Path) -> None:
    numbers = {"time": np.array([3, 4, 5, 6, 7, 9])}
    path = write(tmp_path / "a.nc", body(2), PLURAL, numbers, time_unit="frames", fps="None")
    recording = read_recording(path)
    assert recording.skeleton.rate_hz == 30
    assert recording.timestamps_us[-1] == 200_000
    assert {"1 frames are missing", "no times in the file: taken for 30 Hz"} <= set(recording.notes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dims": ("time", "space", "keypoints", "cameras")}, "expected /position by .*, got 'time', .*'cameras'"),
        ({"names": {"space": ("rho", "phi")}}, "expected places x, y or x, y, z, got rho, phi"),
        ({"names": {"time": np.full(6, np.nan)}}, "expected times in time"),
        ({"names": {"time": np.array([0, 1, 1, 2, 3, 4.0])}}, "expected times to increase"),
        ({"names": {"keypoints": ("a", "a", "b", "c")}}, "expected a name of its own for each joint, got 'a' 2 times"),
        ({"names": {"keypoints": np.arange(4)}}, "expected names in /keypoints, got int64"),
        ({"names": {"keypoints": ("a", "b", "c")}}, "expected a name for each of the position's parts"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    write(tmp_path / "a.nc", body(2), **{"dims": PLURAL, **change})
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "a.nc")


def test_a_file_without_places_says_what_it_has(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["rainfall"] = np.zeros(3)
    with pytest.raises(RecordingError, match=r"a\.nc: expected a dataset position in /, got rainfall"):
        read_recording(tmp_path / "a.nc")


def test_confidences_that_are_not_known_hide_no_joint(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nc", body(3), PLURAL)
    with h5py.File(path, "r+") as file:
        file["confidence"][:, 0] = np.nan
    some = read_recording(path).confidences
    assert some is not None
    np.testing.assert_allclose(some[:, 0], 1.0)
    np.testing.assert_allclose(some[:, 1:], 0.7, rtol=1e-6)
    with h5py.File(path, "r+") as file:
        file["confidence"][...] = np.nan
    assert read_recording(path).confidences is None
