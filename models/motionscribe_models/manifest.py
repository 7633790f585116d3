"""manifest.json of a model folder: what the model expects, what it answers, and the SHA-256 of every file beside it.

In: the JSON text of a folder that may be hostile. Out: a Manifest checked on construction. It reads and writes
manifest.json alone; repository.py reads the files that are listed there.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from motionscribe_models.errors import LayoutError, ModelFolderError
from motionscribe_models.new_file import new_file
from motionscribe_models.plain_files import read_plain_file, sha256
from motionscribe_models.skeleton import Skeleton
from motionscribe_models.strict_json import JsonObject, parse_json

FORMAT = 4
WINDOWED = 3
"""The format of models whose encoder begins anew with each window; they are still served."""
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
ARRAYS = "arrays.npz"
REFERENCE = "reference.npz"
MAX_MANIFEST_BYTES = 4 << 20
MAX_SIZE = 1 << 16  # frames, units, columns, moments
MAX_STATE = 1 << 22  # numbers in the running states of one stream; the published model has 10 240
RATES_HZ = (0.01, 10_000.0)
PRECISIONS = ("fp32", "int8")
MAX_TOLERANCE = 0.1  # a graph that is further off than this is another network

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
VERSION = re.compile(r"[1-9][0-9]{0,8}")
FILE = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*\.(onnx|npz)")
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Variant:
    """Two graphs of one precision."""

    encoder: str
    """File name of the encoder step."""
    decoder: str
    """File name of the unrolled decoder."""
    error: float
    """Largest relative error against reference.npz, as measured at export."""
    tolerance: float
    """Relative error above which a server refuses the variant."""

    def __post_init__(self) -> None:
        for file in (self.encoder, self.decoder):
            if not FILE.fullmatch(file):
                raise ModelFolderError(f"{MANIFEST}: expected plain names of graphs, got {file!r}")
        if not 0 <= self.error <= self.tolerance <= MAX_TOLERANCE:
            raise ModelFolderError(
                f"{MANIFEST}: expected 0 <= error <= tolerance <= {MAX_TOLERANCE}, got {self.error}, {self.tolerance}"
            )

    @classmethod
    def from_json(cls, given: JsonObject) -> "Variant":
        """A variant of manifest.json. Raises ModelFolderError."""
        given.check_fields({f.name for f in fields(cls)})
        return cls(given.text("encoder"), given.text("decoder"), given.number("error"), given.number("tolerance"))


@dataclass(frozen=True)
class Manifest:
    """A model in words and numbers. Without `variants` and `files` it is a draft, which export completes."""

    name: str
    version: str
    """A positive integer, as text."""
    created: str
    """ISO date."""
    description: str
    skeleton: Skeleton
    feature_joints: tuple[int, ...]
    """Indices of the skeleton's joints that the network sees."""
    rate_hz: float
    """Rate of the frames that the network sees, Hz."""
    window: int
    """T, frames that the network saw before each prediction when it learnt."""
    stride: int
    """Frames between two windows; a moment is one stride."""
    decoder_steps: int
    """M, decoder states of a window."""
    features: int
    """F, columns of a network frame."""
    hidden: int
    """H, units of the cell."""
    projected: int
    """P, columns of a projected state."""
    latency: Mapping[str, int]
    """Lag preset -> moments."""
    metrics: Mapping[str, float]
    """What the model scored, by published name."""
    settings: Mapping[str, float]
    """Numbers that the session needs: penalties, thresholds."""
    training: Mapping[str, Any]
    """Data, command, seed, iterations: whatever repeats the training."""
    variants: Mapping[str, Variant] = field(default_factory=dict)
    """Precision ("fp32", "int8") -> graphs."""
    files: Mapping[str, str] = field(default_factory=dict)
    """File name -> SHA-256, lower-case hexadecimal; all files but the manifest."""
    format: int = FORMAT

    def __post_init__(self) -> None:
        _check(self.format in (WINDOWED, FORMAT), f"expected format {WINDOWED} or {FORMAT}, got {self.format}")
        _check(NAME.fullmatch(self.name), f"expected a name of a-z 0-9 . _ -, got {self.name!r}")
        _check(VERSION.fullmatch(self.version), f"expected a positive integer as version, got {self.version!r}")
        try:
            date.fromisoformat(self.created)
        except ValueError as error:
            raise ModelFolderError(f"{MANIFEST}: expected an ISO date in created, got {self.created!r}") from error
        slowest, fastest = RATES_HZ
        for where, rate in (("rate_hz", self.rate_hz), ("skeleton.rate_hz", self.skeleton.rate_hz)):
            _check(slowest <= rate <= fastest, f"expected {where} from {slowest} to {fastest}, got {rate}")
        for size in ("window", "stride", "decoder_steps", "features", "hidden", "projected"):
            value = getattr(self, size)
            _check(0 < value <= MAX_SIZE, f"expected a {size} from 1 to {MAX_SIZE}, got {value}")
        _check(
            self.window % self.stride == 0, f"expected window divisible by stride, got {self.window} and {self.stride}"
        )
        states = self.slots * self.hidden
        _check(states <= MAX_STATE, f"expected at most {MAX_STATE} numbers as states of a stream, got {states}")
        # with as many dimensions nothing is left out, and a residual of rounding would be compared with another
        _check(self.projected < self.hidden, f"expected projected < hidden, got {self.projected} and {self.hidden}")
        joints = self.feature_joints
        _check(
            len(set(joints)) == len(joints) and all(0 <= j < len(self.skeleton.joints) for j in joints),
            f"expected distinct feature_joints of 0..{len(self.skeleton.joints) - 1}, got {joints}",
        )
        _check(
            all(0 <= moments <= MAX_SIZE for moments in self.latency.values()),
            f"expected latency from 0 to {MAX_SIZE}, got {dict(self.latency)}",
        )
        _check(set(self.variants) <= set(PRECISIONS), f"expected variants of {PRECISIONS}, got {list(self.variants)}")
        for table in (self.metrics, self.settings):
            _check(all(math.isfinite(v) for v in table.values()), f"expected finite numbers, got {dict(table)}")
        for file, digest in self.files.items():
            _check(FILE.fullmatch(file), f"expected plain names of files, got {file!r}")
            _check(DIGEST.fullmatch(digest), f"{file}: expected a SHA-256 in hexadecimal, got {digest!r}")

    @property
    def forgets_after(self) -> int | None:
        """Frames after which an encoder state begins anew; None where one runs on from gap to gap."""
        return self.window if self.format == WINDOWED else None

    @property
    def slots(self) -> int:
        """W, encoder states that run side by side: one that runs on, or one for each window that is not complete."""
        return 1 if self.forgets_after is None else self.forgets_after // self.stride

    def fits_reference(self, shape: tuple[int, ...]) -> bool:
        """Whether windows (R, L, F) can be a reference: L is T, or at least T where an encoder state runs on."""
        if len(shape) != 3 or shape[0] == 0 or shape[2] != self.features:
            return False
        return shape[1] == self.window if self.forgets_after else self.window <= shape[1] <= MAX_SIZE

    @property
    def wanted_files(self) -> tuple[str, ...]:
        """The files that the folder must hold beside the manifest, sorted."""
        graphs = {file for v in self.variants.values() for file in (v.encoder, v.decoder)}
        return tuple(sorted(graphs | {ARRAYS, REFERENCE}))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain |= {name: dict(v) for name, v in plain.items() if isinstance(v, Mapping)}
        plain["skeleton"] = self.skeleton.to_json()
        plain["variants"] = {name: asdict(v) for name, v in self.variants.items()}
        return plain

    @classmethod
    def from_json(cls, value: object) -> "Manifest":
        """The inverse of to_json. Raises ModelFolderError naming the field that is missing, unknown or mistyped."""
        given = JsonObject.of(MANIFEST, value)
        form = given.fields.get("format")
        if form not in (WINDOWED, FORMAT):  # first: another format may well have other fields
            raise ModelFolderError(f"{MANIFEST}: expected format {WINDOWED} or {FORMAT}, got {form!r}")
        given.check_fields({f.name for f in fields(cls)})
        try:
            skeleton = Skeleton.from_json(given.inner("skeleton").fields)
        except LayoutError as error:
            raise ModelFolderError(f"{MANIFEST}: skeleton: {error}") from error
        latency, metrics, settings = given.inner("latency"), given.inner("metrics"), given.inner("settings")
        variants, files = given.inner("variants"), given.inner("files")
        return cls(
            name=given.text("name"),
            version=given.text("version"),
            created=given.text("created"),
            description=given.text("description"),
            skeleton=skeleton,
            feature_joints=given.wholes("feature_joints"),
            rate_hz=given.number("rate_hz"),
            window=given.whole("window"),
            stride=given.whole("stride"),
            decoder_steps=given.whole("decoder_steps"),
            features=given.whole("features"),
            hidden=given.whole("hidden"),
            projected=given.whole("projected"),
            latency={lag: latency.whole(lag) for lag in latency.fields},
            metrics={name: metrics.number(name) for name in metrics.fields},
            settings={name: settings.number(name) for name in settings.fields},
            training=dict(given.inner("training").fields),
            variants={precision: Variant.from_json(variants.inner(precision)) for precision in variants.fields},
            files={file: files.text(file) for file in files.fields},
            format=given.whole("format"),
        )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model folder. Raises ModelFolderError; the files it lists are not opened."""
    return parse_manifest(read_plain_file(folder / MANIFEST, MAX_MANIFEST_BYTES), folder)


def parse_manifest(raw: bytes, folder: Path) -> Manifest:
    """Parses the bytes of a folder's manifest. Raises ModelFolderError, which names the folder."""
    try:
        value = parse_json(raw)
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(f"{folder / MANIFEST}: expected JSON in UTF-8, got {len(raw)} bytes: {error}") from error
    try:
        manifest = Manifest.from_json(value)
    except ModelFolderError as error:
        raise ModelFolderError(f"{folder}: {error}") from error
    if not manifest.variants:
        raise ModelFolderError(f"{folder / MANIFEST}: expected at least one variant, got a draft")
    if tuple(sorted(manifest.files)) != manifest.wanted_files:
        raise ModelFolderError(
            f"{folder / MANIFEST}: expected digests of {', '.join(manifest.wanted_files)}, "
            f"got {', '.join(sorted(manifest.files))}"
        )
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Writes manifest.json with the digests of the files that the manifest names; returns the written manifest."""
    files = {file: sha256(read_plain_file(folder / file)) for file in manifest.wanted_files}
    complete = replace(manifest, files=files)
    text = json.dumps(complete.to_json(), indent=1, allow_nan=False) + "\n"
    with new_file(folder / MANIFEST) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    return complete


def _check(condition: object, message: str) -> None:
    if not condition:
        raise ModelFolderError(f"{MANIFEST}: {message}")
