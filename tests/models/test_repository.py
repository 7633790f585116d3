"""Model folders: what is there is found, and what is missing, tampered with or hostile is refused with a reason."""

import io
import json
import zipfile
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.support.small_model import M, P, T, draft

from motionscribe_models import repository
from motionscribe_models.errors import ModelFolderError, UnknownModelError
from motionscribe_models.manifest import Variant, write_manifest
from motionscribe_models.repository import Repository, read_bundle

F, R = 5, 2


def reference() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    shapes = {"windows": (R, T, F), "projected": (R, M, P), "residual": (R, M), "prediction": (R, M, F)}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def nothing(name: str) -> bytes:
    """A graph of one node that passes its input on: what the repository looks for is not in there."""
    ends = [helper.make_tensor_value_info(end, TensorProto.FLOAT, ("N", F)) for end in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], name, ends[:1], ends[1:])
    raw: bytes = helper.make_model(graph, producer_name="a test").SerializeToString()
    return raw


ENCODER, DECODER = nothing("encoder"), nothing("decoder")


def make(root: Path, name: str = "small", version: str = "1") -> Path:
    """A folder whose graphs are not a network's: whether they compute what they should is inference's business."""
    folder = root / name / version
    folder.mkdir(parents=True)
    (folder / "encoder.onnx").write_bytes(ENCODER)
    (folder / "decoder.onnx").write_bytes(DECODER)
    np.savez(folder / "arrays.npz", centres=np.eye(3, dtype=np.float32))
    np.savez(folder / "reference.npz", allow_pickle=False, **reference())
    redigest(folder, name, version)
    return folder


def redigest(folder: Path, name: str = "small", version: str = "1") -> None:
    """What an attacker would do after a change: digests that fit."""
    variant = Variant("encoder.onnx", "decoder.onnx", 0.0, 1e-5)
    write_manifest(folder, replace(draft(F, name, version), variants={"fp32": variant}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path)


def test_names_and_versions_are_found_in_order(tmp_path: Path) -> None:
    for name, version in (("walk", "2"), ("walk", "10"), ("run", "1")):
        make(tmp_path, name, version)
    (tmp_path / "motionscribe_models").mkdir()  # the Python package beside the shipped models
    (tmp_path / "walk" / "notes").mkdir()
    (tmp_path / "walk" / "11").mkdir()  # being copied: no manifest yet
    (tmp_path / "README.md").write_text("cards")
    found = Repository(tmp_path)
    assert found.names() == ["run", "walk"]
    assert found.versions("walk") == ["2", "10"]
    assert found.load("walk").manifest.version == "10"
    assert found.load("walk", "2").manifest.version == "2"


def test_an_unknown_model_is_answered_with_what_there_is(tmp_path: Path, folder: Path) -> None:
    found = Repository(tmp_path)
    with pytest.raises(UnknownModelError, match=r"no model 'other' in .*; there are: small"):
        found.load("other")
    with pytest.raises(UnknownModelError, match="no version '7' of small; there are: 1"):
        found.load("small", "7")
    for name in ("../" + tmp_path.name + "/small", "", ".", "small/1", "/etc"):
        with pytest.raises(UnknownModelError, match="no model"):
            found.load(name)
    with pytest.raises(UnknownModelError, match="expected a folder of models"):
        Repository(tmp_path / "absent").names()


def test_a_bundle_cannot_be_changed(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert bundle.graphs == {"encoder.onnx": ENCODER, "decoder.onnx": DECODER}
    np.testing.assert_array_equal(bundle.arrays["centres"], np.eye(3))
    assert bundle.reference["windows"].shape == (R, T, F)
    for array in (bundle.arrays["centres"], bundle.reference["windows"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(TypeError):
        bundle.arrays["more"] = np.zeros(1)  # type: ignore[index]  # the point of the test
    with pytest.raises(FrozenInstanceError):
        bundle.manifest = draft(F)  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize("file", ["encoder.onnx", "decoder.onnx", "arrays.npz", "reference.npz"])
def test_one_changed_byte_is_refused(folder: Path, file: str) -> None:
    raw = bytearray((folder / file).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / file).write_bytes(raw)
    with pytest.raises(ModelFolderError, match=rf"{file}: expected SHA-256 [0-9a-f]{{64}}, got [0-9a-f]{{64}}"):
        read_bundle(folder)


@pytest.mark.parametrize("file", ["manifest.json", "encoder.onnx", "arrays.npz", "reference.npz"])
def test_a_missing_file_is_refused(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(ModelFolderError, match=f"{file}: expected a readable file, got No such file"):
        read_bundle(folder)


@pytest.mark.parametrize("file", ["manifest.json", "encoder.onnx"])
def test_a_link_is_refused_although_its_target_has_the_right_bytes(folder: Path, tmp_path: Path, file: str) -> None:
    (folder / file).rename(tmp_path / "elsewhere")
    (folder / file).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelFolderError, match=f"{file}: expected a regular file"):
        read_bundle(folder)


def test_a_version_that_is_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    outside = make(tmp_path / "outside")
    (tmp_path / "inside" / "small").mkdir(parents=True)
    (tmp_path / "inside" / "small" / "1").symlink_to(outside)
    with pytest.raises(ModelFolderError, match="expected a folder inside"):
        Repository(tmp_path / "inside").load("small")


def test_a_folder_under_another_name_is_refused(tmp_path: Path, folder: Path) -> None:
    folder.rename(folder.with_name("2"))
    with pytest.raises(ModelFolderError, match="expected the manifest of small version 2, got small version 1"):
        Repository(tmp_path).load("small")


def test_what_unpacks_beyond_the_limit_is_refused_before_it_is_unpacked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(folder / "arrays.npz", centres=np.zeros((500, 500), np.float32))
    redigest(folder)
    monkeypatch.setattr(repository, "MAX_FILE_BYTES", 20_000)
    with pytest.raises(ModelFolderError, match=r"arrays.npz: expected at most 20000 bytes unpacked, got 1000128"):
        read_bundle(folder)


@pytest.mark.parametrize(("limit", "left"), [("MAX_FILE_BYTES", 100), ("MAX_FOLDER_BYTES", 1000)])
def test_files_beyond_the_limits_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, limit: str, left: int
) -> None:
    monkeypatch.setattr(repository, limit, left)
    with pytest.raises(ModelFolderError, match=r"(npz|onnx): expected at most \d+ bytes, got"):
        read_bundle(folder)


class Trap:
    """Would run code when unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (pytest.fail, ("an object was unpickled",))


def test_pickled_objects_are_refused_and_not_run(folder: Path) -> None:
    trap = np.empty(1, object)
    trap[0] = Trap()
    np.savez(folder / "arrays.npz", trap=trap)
    redigest(folder)
    with pytest.raises(ModelFolderError, match=r"arrays\.npz: expected arrays without pickled objects"):
        read_bundle(folder)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return buffer.getvalue()


def npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PK not really a zip",
        npy(np.arange(3)),
        zipped(centres=b"not an array"),
        zipped(**{"centres.npy": b""}),
        zipped(**{"centres.npy": npy(np.arange(1000))[:-8]}),
        zipped(**{"centres.npy": npy(np.arange(1000)).replace(b"(1000,), }" + 10 * b" ", b"(99999999999999,), }")}),
    ],
    ids=["empty", "no zip", "bare npy", "no array", "empty array", "cut array", "array of terabytes"],
)
def test_arrays_that_are_none_are_refused(folder: Path, raw: bytes) -> None:
    (folder / "arrays.npz").write_bytes(raw)
    redigest(folder)
    with pytest.raises(ModelFolderError, match=r"arrays\.npz: "):
        read_bundle(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"windows": np.zeros((R, T - 1, F), np.float32)}, "expected arrays"),
        ({"residual": np.zeros((R + 1, M), np.float32)}, "expected arrays"),
        ({"windows": np.zeros((0, T, F), np.float32)}, "expected arrays"),
        ({"windows": np.float32(1)}, "expected arrays"),
        ({"more": np.zeros(3, np.float32)}, "expected arrays"),
        ({"residual": np.zeros((R, M))}, "residual: expected float32, got float64"),
        ({"residual": np.full((R, M), np.nan, np.float32)}, "residual: expected numbers .*, got float32 with 12"),
        ({"residual": np.full((R, M), "x")}, "residual: expected numbers .*, got <U1"),
    ],
)
def test_a_reference_of_another_shape_is_refused(folder: Path, change: dict[str, Any], reason: str) -> None:
    np.savez(folder / "reference.npz", **(reference() | change))
    redigest(folder)
    with pytest.raises(ModelFolderError, match=reason):
        read_bundle(folder)


def test_a_digest_of_a_file_that_no_variant_names_is_refused(folder: Path) -> None:
    table = json.loads((folder / "manifest.json").read_text())
    table["files"]["notes.onnx"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(table))
    with pytest.raises(ModelFolderError, match=r"expected digests of .*, got .*notes.onnx"):
        read_bundle(folder)
