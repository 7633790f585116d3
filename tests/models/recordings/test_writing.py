"""What is written is what our own readers read: places, joints, times, units, the up axis, and what was not seen."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from tests.support.tiny_recording import tiny

from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.errors import ContractError, LayoutError, RecordingError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import H36M_EXPMAP_99, Recording, even_times, read_recording, write_recording
from motionscribe_models.recordings.amass import REST
from motionscribe_models.rotations import rotation_degrees
from motionscribe_models.skeleton import Skeleton, feature_skeleton, upright

BODY = ("head", "left_hip", "right_hip", "left_ankle", "right_ankle")
HEIGHTS = (1.7, 0.9, 0.9, 0.1, 0.1)
MARKERS = ("M1", "M2", "M3", "M4", "M5")


def body(
    up_axis: str = "y", joints: tuple[str, ...] = BODY, metres_per_unit: float = 1.0, **change: object
) -> Recording:
    """Twenty frames at 50 Hz of somebody who stands and sways, of whom a joint is lost twice and a frame is missing."""
    skeleton = Skeleton("body", joints, (-1,) * 5, "positions", f"{metres_per_unit} m", metres_per_unit, up_axis, 50.0)
    skeleton = replace(skeleton, **change)  # type: ignore[arg-type]  # each value fits its own field
    places = np.random.default_rng(0).normal(size=(20, 5, 3)) * 0.1
    places[:, :, 1] += HEIGHTS
    places = places @ upright(skeleton) / metres_per_unit  # from y up to the skeleton's axes
    places[3, 1] = places[4] = np.nan
    times = np.delete(even_times(21, 50.0), 7)
    return Recording("body", places.reshape(20, -1).astype(np.float32), times, skeleton)


def again(recording: Recording, folder: Path, ending: str) -> Recording:
    write_recording(recording, folder / f"out{ending}")
    return read_recording(folder / f"out{ending}")


def in_metres(recording: Recording) -> NDArray[np.float64]:
    """(n, J, 3), y up."""
    skeleton = recording.skeleton
    return joint_positions(skeleton, recording.frames) @ upright(skeleton).T * skeleton.metres_per_unit


@pytest.mark.parametrize("ending", [".npz", ".csv", ".trc", ".nc"])
@pytest.mark.parametrize("metres_per_unit", [1.0, 0.01, 0.001, 0.05])
@pytest.mark.parametrize("up_axis", ["y", "z"])
@pytest.mark.parametrize("joints", [BODY, MARKERS])
def test_places_stay(
    tmp_path: Path, ending: str, up_axis: str, metres_per_unit: float, joints: tuple[str, ...]
) -> None:
    wanted = body(up_axis, joints, metres_per_unit)
    found = again(wanted, tmp_path, ending)
    assert found.skeleton.joints == wanted.skeleton.joints
    assert found.skeleton.rate_hz == pytest.approx(50)
    assert found.timestamps_us.tolist() == wanted.timestamps_us.tolist()
    assert found.confidences is None, "nobody is taken for doubtful of whom nothing is known"
    np.testing.assert_allclose(in_metres(found), in_metres(wanted), atol=1e-6)
    if metres_per_unit != 0.05:  # which no reader knows
        assert found.skeleton.metres_per_unit == wanted.skeleton.metres_per_unit
    if ending == ".npz" or (ending != ".trc" and joints is BODY):
        assert found.skeleton.up_axis == up_axis


@pytest.mark.parametrize("ending", [".csv", ".trc", ".nc"])
def test_a_left_hand_becomes_a_right_one(tmp_path: Path, ending: str) -> None:
    wanted = body(left_handed=True)
    found = again(wanted, tmp_path, ending)
    assert not found.skeleton.left_handed
    np.testing.assert_allclose(in_metres(found), in_metres(wanted), atol=1e-6)


@pytest.mark.parametrize("ending", [".csv", ".nc"])
def test_a_camera_stays_one_and_confidences_stay(tmp_path: Path, ending: str) -> None:
    sure = np.random.default_rng(1).uniform(0.1, 1, (20, 5)).astype(np.float32)
    wanted = replace(body("-y", level=False), confidences=sure)
    found = again(wanted, tmp_path, ending)
    assert (found.skeleton.up_axis, found.skeleton.level) == ("-y", False)
    assert found.confidences is not None
    np.testing.assert_array_equal(found.confidences, sure)
    np.testing.assert_array_equal(found.frames, wanted.frames)


@pytest.mark.parametrize("ending", [".csv", ".nc"])
@pytest.mark.parametrize(("units", "size"), [("px", 400.0), ("image", 1.0)])
def test_an_image_stays_one(tmp_path: Path, ending: str, units: str, size: float) -> None:
    skeleton = Skeleton("body", BODY, (-1,) * 5, "positions2d", units, 1.0, "-y", 50.0, level=False)
    frames = np.random.default_rng(0).uniform(0, size, (20, 10)).astype(np.float32)
    wanted = Recording("image", frames, even_times(20, 50.0), skeleton)
    found = again(wanted, tmp_path, ending)
    assert (found.skeleton.representation, found.skeleton.units) == ("positions2d", units)
    np.testing.assert_array_equal(found.frames, frames)
    with pytest.raises(RecordingError, match=r"expected places in space for \.trc, got an image's"):
        write_recording(wanted, tmp_path / "a.trc")


@pytest.mark.parametrize("ending", [".csv", ".trc", ".nc"])
def test_rotations_become_places(tmp_path: Path, ending: str) -> None:
    wanted = perform([("walk", 2.0)], seed=0).recording
    found = again(wanted, tmp_path, ending)
    assert found.skeleton.joints == wanted.skeleton.joints
    np.testing.assert_allclose(in_metres(found), in_metres(wanted), atol=1e-6)


@pytest.mark.parametrize("start_us", [0, 1_790_000_000_000_000])
@pytest.mark.parametrize("ending", [".npz", ".csv", ".trc", ".nc"])
def test_times_of_any_clock_stay(tmp_path: Path, ending: str, start_us: int) -> None:
    wanted = body()
    wanted = replace(wanted, timestamps_us=wanted.timestamps_us + start_us)
    found = again(wanted, tmp_path, ending)
    assert np.abs(found.timestamps_us - wanted.timestamps_us).max() <= (start_us > 0)


def test_features_are_a_table(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    wanted = Recording("rig", frames, even_times(20, 10.0), feature_skeleton("rig", ("pressure", "flow, in"), 10.0))
    found = again(wanted, tmp_path, ".csv")
    assert found.skeleton.joints == wanted.skeleton.joints
    np.testing.assert_array_equal(found.frames, frames)
    with pytest.raises(RecordingError, match=r"rig: expected a body for \.nc, got features: choose \.csv or \.npz"):
        write_recording(wanted, tmp_path / "a.nc")


def test_a_bvh_of_acclaim_has_its_joints_where_the_bones_end(tmp_path: Path) -> None:
    wanted = perform([("walk", 2.0)], seed=0).recording
    found = again(wanted, tmp_path, ".bvh")
    assert (found.skeleton.rate_hz, found.skeleton.up_axis) == (120.0, "y")
    assert found.skeleton.metres_per_unit == pytest.approx(wanted.skeleton.metres_per_unit, rel=1e-3)
    places, joints = in_metres(wanted), wanted.skeleton.joints
    there = dict(zip(found.skeleton.joints, in_metres(found).swapaxes(0, 1), strict=True))
    ends = {"lfemur": "LeftLeg", "ltibia": "LeftFoot", "lradius": "LeftHand", "rhumerus": "RightForeArm"}
    for bone, joint in {**ends, "root": "Hips", "upperneck": "Head", "head": "Head_end"}.items():
        np.testing.assert_allclose(there[joint], places[:, joints.index(bone)], atol=1e-4, err_msg=bone)
    np.testing.assert_allclose(mapped(found).frames, mapped(wanted).frames, atol=1e-4)  # read as the same body


@pytest.mark.parametrize("skeleton", [REST, H36M_EXPMAP_99], ids=lambda skeleton: skeleton.name)
@given(data=st.data())
def test_a_bvh_of_joints_has_them_where_they_were(
    tmp_path_factory: pytest.TempPathFactory, skeleton: Skeleton, data: st.DataObject
) -> None:
    values = data.draw(arrays(np.float32, (2, skeleton.width), elements=st.floats(-2, 2, width=32)))
    wanted = Recording("any", values, even_times(2, 50.0), replace(skeleton, rate_hz=50.0))
    folder = tmp_path_factory.mktemp("bvh")
    found = again(wanted, folder, ".bvh")
    joints = [found.skeleton.joints.index(joint) for joint in skeleton.joints]
    assert found.skeleton.units == skeleton.units
    np.testing.assert_allclose(in_metres(found)[:, joints], in_metres(wanted), atol=1e-5)


@given(arrays(np.float64, (3,), elements=st.floats(-180, 180)), st.sampled_from([None, -90.0, 90.0]))
def test_degrees_turn_as_scipy_has_them(angles: NDArray[np.float64], upright_y: float | None) -> None:
    angles[1] = angles[1] if upright_y is None else upright_y
    matrix = Rotation.from_euler("ZYX", angles, degrees=True).as_matrix()
    back = Rotation.from_euler("ZYX", rotation_degrees(matrix[None])[0], degrees=True).as_matrix()
    np.testing.assert_allclose(back, matrix, atol=1e-7)


def test_a_bvh_is_refused_where_it_cannot_hold_a_recording(tmp_path: Path) -> None:
    rotations = tiny(20)
    late = rotations.timestamps_us + np.where(np.arange(20) > 7, 50_000, 0)
    loose = replace(rotations.skeleton, offsets=())
    for wanted, error, said in (
        (body(), RecordingError, r"expected rotations for \.bvh, .* got positions: choose \.csv, \.trc, \.nc or \.npz"),
        (replace(rotations, timestamps_us=late), RecordingError, "got a gap after frame 8"),
        (replace(rotations, skeleton=loose), LayoutError, "expected a skeleton with offsets"),
    ):
        with pytest.raises(error, match=said):
            write_recording(wanted, tmp_path / "a.bvh")
    assert list(tmp_path.iterdir()) == []


def test_movement_finds_its_own_names(tmp_path: Path) -> None:
    write_recording(body(), tmp_path / "a.nc")
    with h5py.File(tmp_path / "a.nc") as file:
        position = file["position"]
        scales = [position.dims[axis][0].name for axis in range(4)]
        assert scales == ["/time", "/space", "/keypoints", "/individuals"]
        assert position.shape == (20, 3, 5, 1)
        assert file["confidence"].shape == (20, 5, 1)
        assert list(file["space"].asstr()) == ["x", "y", "z"]
        assert (file.attrs["fps"], file.attrs["time_unit"], position.attrs["units"]) == (50.0, "seconds", "m")
        assert np.isnan(position[4]).all()


def test_an_unknown_ending_names_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"expected a file ending in \.npz, \.csv, .*, got \.c3d"):
        write_recording(tiny(), tmp_path / "a.c3d")
