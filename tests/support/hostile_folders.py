"""Ways to do harm by a model folder whose digests fit, and the reason for which each is refused."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from motionscribe_models.plain_files import sha256

Harm = Callable[[Path], None]
GRAPH, ARRAYS, MANIFEST = "decoder.onnx", "arrays.npz", "manifest.json"


def redigest(folder: Path) -> None:
    """As an attacker would: digests of what is there now."""
    table = json.loads((folder / MANIFEST).read_text())
    table["files"] = {file: sha256((folder / file).read_bytes()) for file in table["files"]}
    (folder / MANIFEST).write_text(json.dumps(table))


def graph(change: Callable[[ModelProto], None]) -> Harm:
    """Another decoder."""

    def harm(folder: Path) -> None:
        model = onnx.load_from_string((folder / GRAPH).read_bytes())
        change(model)
        (folder / GRAPH).write_bytes(model.SerializeToString())
        redigest(folder)

    return harm


def graph_bytes(change: Callable[[bytes], bytes]) -> Harm:
    """A decoder that onnx would not write."""

    def harm(folder: Path) -> None:
        (folder / GRAPH).write_bytes(change((folder / GRAPH).read_bytes()))
        redigest(folder)

    return harm


def arrays(**arrays: Any) -> Harm:
    """Other arrays."""

    def harm(folder: Path) -> None:
        np.savez(folder / ARRAYS, allow_pickle=True, **arrays)
        redigest(folder)

    return harm


def packed(compression: int, flags: int = 0, damage: bool = False) -> Harm:
    """Arrays in a zip file that NumPy would not write."""

    def harm(folder: Path) -> None:
        with np.load(folder / ARRAYS) as there, zipfile.ZipFile(folder / "new", "w", compression) as archive:
            for name in there.files:
                np.save(folder / "one.npy", there[name])
                archive.write(folder / "one.npy", f"{name}.npy")
        raw = bytearray((folder / "new").read_bytes())
        if damage:
            raw[60:64] = b"\xff" * 4
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            raw[raw.index(signature) + offset] |= flags
        (folder / ARRAYS).write_bytes(raw)
        for file in ("new", "one.npy"):
            (folder / file).unlink()
        redigest(folder)

    return harm


def manifest(old: str, new: str) -> Harm:
    """Another text in manifest.json."""

    def harm(folder: Path) -> None:
        text = (folder / MANIFEST).read_text()
        assert text.count(old) == 1
        (folder / MANIFEST).write_text(text.replace(old, new))

    return harm


def beside(name: str) -> Harm:
    """A file more."""
    return lambda folder: (folder / name).touch()


def a_pipe(folder: Path) -> None:
    (folder / GRAPH).unlink()
    os.mkfifo(folder / GRAPH)


def outside(tensor: TensorProto) -> None:
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def weights_outside(model: ModelProto) -> None:
    outside(model.graph.initializer[0])


def weights_outside_in_a_constant(model: ModelProto) -> None:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32))
    outside(tensor)
    model.graph.node.append(helper.make_node("Constant", [], ["hidden"], value=tensor))


def a_function(model: ModelProto) -> None:
    model.functions.add(name="Trap", domain="trap")


def a_subgraph(model: ModelProto) -> None:
    within = helper.make_graph([helper.make_node("Trap", [], ["t"], domain="trap")], "within", [], [])
    model.graph.node.append(helper.make_node("If", ["h"], ["t"], then_branch=within, else_branch=within))


def subgraphs(model: ModelProto) -> None:
    within = helper.make_graph([], "within", [], [])
    model.graph.node.append(helper.make_node("Add", ["h", "h"], ["t"], bodies=[within]))


def node(operator: str, domain: str) -> Callable[[ModelProto], None]:
    return lambda model: model.graph.node.append(helper.make_node(operator, ["h"], ["t"], domain=domain))


def an_import(model: ModelProto) -> None:
    model.opset_import.add(domain="trap", version=1)


def training(model: ModelProto) -> None:
    model.training_info.add()


def metadata(model: ModelProto) -> None:
    model.metadata_props.add(key="ort_config", value="{}")


def text_weights(model: ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("t", TensorProto.STRING, [1], [b"x"]))


def sparse_weights(model: ModelProto) -> None:
    model.graph.sparse_initializer.add()


def field(number: int, payload: bytes) -> bytes:
    """A protobuf field of bytes."""
    assert number < 16
    assert len(payload) < 128
    return bytes([number << 3 | 2, len(payload)]) + payload


TRAP = field(1, field(4, b"Add") + field(7, b"") + field(7, b"trap"))
"""A node that names its domain twice: the last one counts."""
HOSTILE: dict[str, tuple[Harm, str]] = {
    "a file more": (beside("weights.bin"), "expected the files of its manifest alone, got also weights.bin"),
    "a hidden file more": (beside(".x"), r"got also \.x"),
    "a pipe": (a_pipe, "decoder.onnx: expected a regular file, got p"),
    "weights outside": (graph(weights_outside), "decoder.onnx: .* got weights outside the file .tensor"),
    "weights outside, in a constant": (graph(weights_outside_in_a_constant), "got weights outside the file .tensor"),
    "a function": (graph(a_function), "got functions .model"),
    "a subgraph": (graph(a_subgraph), "got a subgraph .attribute"),
    "subgraphs": (graph(subgraphs), "got subgraphs .attribute"),
    "a foreign operator": (
        graph(node("Trap", "trap")),
        "expected operators of the ONNX standard, got 'Trap' of 'trap'",
    ),
    "one that loads files": (graph(node("EPContext", "com.microsoft")), "got 'EPContext' of 'com.microsoft'"),
    "a foreign import": (graph(an_import), "expected operators of the ONNX standard, got an import of 'trap'"),
    "training": (graph(training), "got training steps .model"),
    "settings of the runtime": (graph(metadata), "got metadata .model"),
    "texts as weights": (graph(text_weights), "got field 6 .tensor"),
    "sparse weights": (graph(sparse_weights), "got sparse weights .graph"),
    # protobuf puts a message that comes twice together
    "a second part of the graph": (graph_bytes(lambda raw: raw + field(7, TRAP)), "got 'Add' of 'trap'"),
    "a graph that is a number": (graph_bytes(lambda raw: raw + b"\x38\x01"), "field 7 of a model as a number"),
    "a cut graph": (graph_bytes(lambda raw: raw[:-3]), r"expected an ONNX graph, got a damaged one: \d+ bytes too few"),
    "an endless number": (graph_bytes(lambda raw: raw + b"\xff" * 20), "a number without an end"),
    "a group": (graph_bytes(lambda raw: raw + b"\x0b\x0c"), "wire type 3"),
    "another format": (graph_bytes(lambda raw: b"\x10\0\0\0ORTM" + raw), "expected an ONNX graph"),
    "objects": (arrays(centres=np.array([print], object)), "arrays.npz: expected arrays without pickled objects"),
    "NaN": (
        arrays(centres=np.array([1, np.nan], np.float32)),
        "centres: expected numbers .* float32 with 1 not finite",
    ),
    "beyond float32": (arrays(centres=np.array([1e300, -1e300])), "centres: .* got float64 with 2 not finite"),
    "texts": (arrays(centres=np.array(["1.0"])), "centres: expected numbers .* got <U3"),
    "complex numbers": (arrays(centres=np.array([1j])), "centres: expected numbers .* got complex128"),
    "records": (arrays(centres=np.zeros(1, "f4,f4")), "centres: expected numbers"),
    "too many arrays": (arrays(**{f"a{i}": np.zeros(1) for i in range(65)}), "at most 64 arrays, got 65"),
    "a foreign compression": (packed(zipfile.ZIP_LZMA), "centres.npy: expected deflate or none, got 14"),
    "a damaged compression": (packed(zipfile.ZIP_DEFLATED, damage=True), "arrays.npz: expected arrays without"),
    "a password": (packed(zipfile.ZIP_STORED, flags=1), "arrays.npz: expected arrays without .* encrypted"),
    "a key twice": (manifest('"window": 40,', '"window": 40, "window": 41,'), r"each key once, got \['window'\] again"),
    "a key twice, within": (manifest('"seed": 0', '"seed": 0, "seed": 1'), r"each key once, got \['seed'\] again"),
    "NaN in words": (manifest('"seed": 0', '"seed": NaN'), "expected finite numbers, got NaN"),
    "infinity in digits": (manifest('"seed": 0', '"seed": 1e999'), "expected finite numbers, got 1e999"),
    "a deep nest": (manifest('"seed": 0', f'"seed": {"[" * 40}{"]" * 40}'), "at most 32 lists and objects in each"),
    "states of terabytes": (manifest('"hidden": 48,', '"hidden": 999999999999,'), "expected a hidden from 1 to 65536"),
    "states of gigabytes": (
        lambda folder: [
            manifest('"format": 4', '"format": 3')(folder),
            manifest('"window": 40,', '"window": 60000,')(folder),
            manifest('"hidden": 48,', '"hidden": 60000,')(folder),
        ][0],
        "expected at most 4194304 numbers as states of a stream, got 450000000",
    ),
    "a rate without end": (manifest('"rate_hz": 30.0,', '"rate_hz": 1e300,'), "expected rate_hz from 0.01 to 10000.0"),
    "an endless latency": (manifest('"stable": 12', '"stable": 99999999999'), "expected latency from 0 to 65536"),
    "a third precision": (manifest('"int8": {', '"int4": {'), r"expected variants of \('fp32', 'int8'\)"),
    "joints that are numbers": (manifest('"c0"', "0"), "expected text as name, units, joints and representation"),
}
