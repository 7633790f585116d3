"""manifest.json: what is written comes back; a foreign or broken one is refused with what was expected and came."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.small_model import T, draft

from motionscribe_models.errors import ModelFolderError
from motionscribe_models.manifest import (
    FORMAT,
    MAX_MANIFEST_BYTES,
    WINDOWED,
    Manifest,
    Variant,
    read_manifest,
    write_manifest,
)
from motionscribe_models.plain_files import read_plain_file, sha256

VARIANT = Variant("encoder.onnx", "decoder.onnx", 2e-7, 3e-5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in ("encoder.onnx", "decoder.onnx"):
        (tmp_path / file).write_bytes(file.encode())
    for file in ("arrays.npz", "reference.npz"):
        np.savez(tmp_path / file, x=np.arange(3))
    return tmp_path


@pytest.fixture
def manifest(folder: Path) -> Manifest:
    return write_manifest(folder, replace(draft(5), variants={"fp32": VARIANT}))


def edit(folder: Path, **changes: Any) -> None:
    """Overwrites fields of the manifest's JSON; None removes one."""
    table = json.loads((folder / "manifest.json").read_text())
    table |= changes
    kept = {key: value for key, value in table.items() if value is not None}
    (folder / "manifest.json").write_text(json.dumps(kept))


def test_what_is_written_is_read(folder: Path, manifest: Manifest) -> None:
    assert read_manifest(folder) == manifest
    assert (manifest.slots, manifest.forgets_after) == (1, None)
    assert manifest.files["encoder.onnx"] == sha256(b"encoder.onnx")
    assert sorted(manifest.files) == ["arrays.npz", "decoder.onnx", "encoder.onnx", "reference.npz"]


def test_a_windowed_model_is_read_as_one(folder: Path) -> None:
    """Formats differ in what the encoder forgets alone: many states that begin anew, or one that runs on."""
    manifest = write_manifest(folder, replace(draft(5), variants={"fp32": VARIANT}, format=WINDOWED))
    assert read_manifest(folder) == manifest
    assert (manifest.slots, manifest.forgets_after) == (5, manifest.window)


@pytest.mark.parametrize(
    ("form", "length", "fits"),
    [(WINDOWED, T, True), (WINDOWED, T + 1, False), (FORMAT, T - 1, False), (FORMAT, T, True), (FORMAT, 9 * T, True)],
)
def test_a_reference_is_as_long_as_the_encoder_remembers(form: int, length: int, fits: bool) -> None:
    manifest = replace(draft(5), format=form)
    assert manifest.fits_reference((3, length, 5)) == fits
    assert not manifest.fits_reference((0, length, 5))
    assert not manifest.fits_reference((3, length, 6))
    assert not manifest.fits_reference(())


def test_the_same_draft_gives_the_same_bytes(folder: Path, manifest: Manifest) -> None:
    first = (folder / "manifest.json").read_bytes()
    write_manifest(folder, read_manifest(folder))
    assert (folder / "manifest.json").read_bytes() == first


@given(
    description=st.text(st.characters(codec="utf-8")),
    settings=st.dictionaries(st.text(st.characters(codec="utf-8")), st.floats(allow_nan=False, allow_infinity=False)),
    training=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.lists(st.text())),
    window=st.integers(1, 50),
    stride=st.integers(1, 10),
)
def test_json_holds_every_value(
    description: str, settings: dict[str, float], training: dict[str, Any], window: int, stride: int
) -> None:
    manifest = replace(
        draft(5),
        description=description,
        settings=settings,
        training=training,
        window=window * stride,
        stride=stride,
        variants={"fp32": VARIANT},
    )
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "expected format 3 or 4, got 2"),
        ({"format": None}, "expected format 3 or 4, got None"),
        ({"window": 41}, "window divisible by stride, got 41 and 8"),
        ({"window": None}, r"missing fields \['window'\]"),
        ({"extra": 1}, r"unknown fields \['extra'\]"),
        ({"window": "40"}, "window: expected int, got str"),
        ({"window": True}, "window: expected int, got bool"),
        ({"stride": 0}, "expected a stride from 1 to 65536, got 0"),
        ({"hidden": -4}, "expected a hidden from 1 to 65536, got -4"),
        ({"projected": 48}, "expected projected < hidden, got 48 and 48"),
        ({"rate_hz": -30}, "expected rate_hz from 0.01 to 10000.0, got -30"),
        ({"rate_hz": 10**400}, "rate_hz: expected a float64"),
        ({"name": "../other"}, "expected a name of"),
        ({"version": "latest"}, "expected a positive integer as version, got 'latest'"),
        ({"version": "01"}, "expected a positive integer as version"),
        ({"created": "yesterday"}, "expected an ISO date"),
        ({"feature_joints": [0, 0]}, "expected distinct feature_joints"),
        ({"feature_joints": [5]}, r"expected distinct feature_joints of 0\.\.4"),
        ({"latency": {"fast": -1}}, "expected latency from 0 to 65536"),
        ({"latency": {"fast": 1.5}}, "latency.fast: expected int, got float"),
        ({"skeleton": {"name": "x"}}, "skeleton: not a skeleton"),
        ({"skeleton": []}, "skeleton: expected dict, got list"),
        ({"variants": {}}, "expected at least one variant"),
        ({"variants": {"fp32": {"encoder": "encoder.onnx"}}}, "variants.fp32: missing fields"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "expected plain names of files, got '../../etc/passwd'"),
        ({"files": {"encoder.onnx": "0" * 64}}, "expected digests of arrays.npz, decoder.onnx"),
        ({"files": {"encoder.onnx": "abc"}}, "encoder.onnx: expected a SHA-256"),
    ],
)
def test_a_wrong_field_is_refused(folder: Path, manifest: Manifest, changes: dict[str, Any], reason: str) -> None:
    edit(folder, **changes)
    with pytest.raises(ModelFolderError, match=reason):
        read_manifest(folder)


@pytest.mark.parametrize(
    "name", ["../encoder.onnx", "/etc/passwd", "a/b.onnx", "..onnx", "encoder.pkl", "C:\\x.onnx", ""]
)
def test_a_graph_outside_the_folder_is_refused(folder: Path, manifest: Manifest, name: str) -> None:
    edit(folder, variants={"fp32": {"encoder": name, "decoder": "decoder.onnx", "error": 0, "tolerance": 0.1}})
    with pytest.raises(ModelFolderError, match="expected plain names of graphs"):
        read_manifest(folder)


@pytest.mark.parametrize("error_tolerance", [(0.1, 0.01), (0.0, 0.5), (-1.0, 0.01), (float("nan"), 0.01)])
def test_a_tolerance_that_tolerates_anything_is_refused(error_tolerance: tuple[float, float]) -> None:
    with pytest.raises(ModelFolderError, match="expected 0 <= error <= tolerance"):
        Variant("encoder.onnx", "decoder.onnx", *error_tolerance)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}'])
def test_what_is_no_json_object_is_refused(folder: Path, raw: bytes) -> None:
    (folder / "manifest.json").write_bytes(raw)
    with pytest.raises(ModelFolderError, match=r"manifest\.json"):
        read_manifest(folder)


def test_a_cut_manifest_is_refused_wherever_it_is_cut(folder: Path, manifest: Manifest) -> None:
    raw = (folder / "manifest.json").read_bytes()
    for length in range(0, len(raw) - 2, 97):
        (folder / "manifest.json").write_bytes(raw[:length])
        with pytest.raises(ModelFolderError, match="expected JSON"):
            read_manifest(folder)


def test_nan_is_refused_when_read(folder: Path, manifest: Manifest) -> None:
    edit(folder, metrics={"accuracy": float("nan")})
    with pytest.raises(ModelFolderError, match="expected finite numbers"):
        read_manifest(folder)


def test_a_manifest_that_is_too_large_is_not_parsed(folder: Path, manifest: Manifest) -> None:
    edit(folder, description="x" * MAX_MANIFEST_BYTES)
    with pytest.raises(ModelFolderError, match=f"expected at most {MAX_MANIFEST_BYTES} bytes, got"):
        read_manifest(folder)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"123")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read_plain_file(tmp_path / "real", 3) == b"123"
    for name, reason in (("link", "got l"), (".", "got d"), ("absent", "No such file")):
        with pytest.raises(ModelFolderError, match=reason):
            read_plain_file(tmp_path / name)
    with pytest.raises(ModelFolderError, match="expected at most 2 bytes, got 3"):
        read_plain_file(tmp_path / "real", 2)


def test_a_missing_graph_is_not_digested(folder: Path) -> None:
    (folder / "decoder.onnx").unlink()
    with pytest.raises(ModelFolderError, match=r"decoder\.onnx: expected a readable file"):
        write_manifest(folder, replace(draft(5), variants={"fp32": VARIANT}))
    assert not (folder / "manifest.json").exists()
