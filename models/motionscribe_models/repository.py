"""Model folders on disk: models/<name>/<version>/ with manifest.json, graphs, arrays.npz and reference.npz.

In: a root folder, a name and a version. Out: a ModelBundle whose every byte was compared with the manifest's digests.
Nothing here executes what it reads: graphs stay bytes (graphs.py looks into them), arrays are loaded without pickle. It
does not run the graphs.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import ModelFolderError, UnknownModelError
from motionscribe_models.graphs import check_graph
from motionscribe_models.manifest import (
    ARRAYS,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    NAME,
    REFERENCE,
    SIGNATURE,
    VERSION,
    Manifest,
    parse_manifest,
)
from motionscribe_models.plain_files import MAX_FILE_BYTES, read_plain_file, sha256
from motionscribe_models.signature import check_signature

Arrays = Mapping[str, NDArray[Any]]

MAX_FOLDER_BYTES = 1 << 30  # of all files together; a model of 4096 units has 600 MB
MAX_ARRAYS = 64  # in one .npz; a model has a dozen
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # as NumPy writes; others may ask for gigabytes to unpack


@dataclass(frozen=True)
class ModelBundle:
    """A verified model in memory; its arrays are read-only."""

    manifest: Manifest
    graphs: Mapping[str, bytes]
    """File name -> ONNX graph."""
    arrays: Arrays
    """What the session needs and training fitted, as the first clusters."""
    reference: Arrays
    """windows (R, T, F), projected (R, M, P), residual (R, M), prediction (R, M, F), float32."""


class Repository:
    """The models below one root folder. Each call reads the folder again: a model copied in needs no restart.

    With `keys`, a PEM file of public keys, only models signed by one of them are loaded.
    """

    def __init__(self, root: Path, keys: Path | None = None) -> None:
        self.root = root
        self._keys = keys

    def names(self) -> list[str]:
        """Names of models that have at least one version, sorted."""
        if not self.root.is_dir():
            raise UnknownModelError(f"expected a folder of models, got {self.root}")
        return sorted(p.name for p in self.root.iterdir() if NAME.fullmatch(p.name) and self.versions(p.name))

    def versions(self, name: str) -> list[str]:
        """Versions of a model, the oldest first; empty when there is no such model."""
        folder = self.root / name
        if not NAME.fullmatch(name) or not folder.is_dir():
            return []
        found = (p.name for p in folder.iterdir() if VERSION.fullmatch(p.name) and (p / MANIFEST).exists())
        return sorted(found, key=int)

    def load(self, name: str, version: str = "latest") -> ModelBundle:
        """A model; "latest" is the highest version. Raises UnknownModelError, ModelFolderError."""
        versions = self.versions(name)
        if not versions:
            raise UnknownModelError(f"no model {name!r} in {self.root}; there are: {', '.join(self.names()) or 'none'}")
        if version == "latest":
            version = versions[-1]
        if version not in versions:
            raise UnknownModelError(f"no version {version!r} of {name}; there are: {', '.join(versions)}")
        folder = self.root / name / version
        if not folder.resolve().is_relative_to(self.root.resolve()):
            raise ModelFolderError(f"{folder}: expected a folder inside {self.root}, got a link to {folder.resolve()}")
        bundle = read_bundle(folder, self._keys)
        if (bundle.manifest.name, bundle.manifest.version) != (name, version):
            raise ModelFolderError(
                f"{folder}: expected the manifest of {name} version {version}, "
                f"got {bundle.manifest.name} version {bundle.manifest.version}"
            )
        return bundle


def read_bundle(folder: Path, keys: Path | None = None) -> ModelBundle:
    """Reads and verifies one model folder, with `keys` its signature too. Raises ModelFolderError."""
    manifest_bytes = read_plain_file(folder / MANIFEST, MAX_MANIFEST_BYTES)
    if keys:
        check_signature(folder, manifest_bytes, keys)
    manifest = parse_manifest(manifest_bytes, folder)
    _check_names(folder, manifest)
    raw: dict[str, bytes] = {}
    left = MAX_FOLDER_BYTES
    for file, digest in manifest.files.items():
        raw[file] = read_plain_file(folder / file, min(left, MAX_FILE_BYTES))
        left -= len(raw[file])
        if sha256(raw[file]) != digest:
            raise ModelFolderError(f"{folder / file}: expected SHA-256 {digest}, got {sha256(raw[file])}")
    arrays = _read_npz(raw.pop(ARRAYS), folder / ARRAYS)
    reference = _read_npz(raw.pop(REFERENCE), folder / REFERENCE)
    _check_reference(manifest, reference, folder / REFERENCE)
    for file, graph in raw.items():
        try:
            check_graph(graph)
        except ModelFolderError as error:
            raise ModelFolderError(f"{folder / file}: {error}") from error
    return ModelBundle(manifest, MappingProxyType(raw), MappingProxyType(arrays), MappingProxyType(reference))


def _check_names(folder: Path, manifest: Manifest) -> None:
    """Files without a digest in the manifest are rejected."""
    try:
        unknown = sorted({entry.name for entry in folder.iterdir()} - {MANIFEST, SIGNATURE, *manifest.files})
    except OSError as error:
        raise ModelFolderError(f"{folder}: expected a readable folder, got {error.strerror}") from error
    if unknown:
        raise ModelFolderError(f"{folder}: expected the files of its manifest alone, got also {', '.join(unknown)}")


def _read_npz(raw: bytes, path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as members:
            _check_members(members.infolist())
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except ModelFolderError as error:
        raise ModelFolderError(f"{path}: {error}") from error
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds of error for foreign bytes
        raise ModelFolderError(f"{path}: expected arrays without pickled objects, got {error}") from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ModelFolderError(f"{path}: {name}: expected an array, got {len(array)} bytes of something else")
        if array.dtype.kind not in "fiu" or not np.isfinite(_single(array)).all():
            raise ModelFolderError(
                f"{path}: {name}: expected numbers that are finite as float32, "
                f"got {array.dtype} with {_bad(array)} not finite"
            )
        array.setflags(write=False)
    return arrays


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    """Raises ModelFolderError before anything is unpacked."""
    if len(members) > MAX_ARRAYS:
        raise ModelFolderError(f"expected at most {MAX_ARRAYS} arrays, got {len(members)}")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_FILE_BYTES:  # a small file may unpack to a very large one
        raise ModelFolderError(f"expected at most {MAX_FILE_BYTES} bytes unpacked, got {unpacked}")
    for member in members:
        if member.compress_type not in PACKED:
            raise ModelFolderError(f"{member.filename}: expected deflate or none, got {member.compress_type}")


def _check_reference(manifest: Manifest, reference: Arrays, path: Path) -> None:
    got = {name: array.shape for name, array in reference.items()}
    windows = got.get("windows", ())
    R, L = windows[:2] if manifest.fits_reference(windows) else (1, manifest.window)
    M, F, P = manifest.decoder_steps, manifest.features, manifest.projected
    wanted = {"windows": (R, L, F), "projected": (R, M, P), "residual": (R, M), "prediction": (R, M, F)}
    if got != wanted:
        raise ModelFolderError(f"{path}: expected arrays such as {wanted}, got {got}")
    for name, array in reference.items():
        if array.dtype != np.float32:
            raise ModelFolderError(f"{path}: {name}: expected float32, got {array.dtype}")


def _single(array: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False)


def _bad(array: NDArray[Any]) -> int:
    return int((~np.isfinite(_single(array))).sum()) if array.dtype.kind in "fiu" else array.size
