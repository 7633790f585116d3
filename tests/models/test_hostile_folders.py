"""Model folders made by somebody who means harm: digests fit, and yet each is refused, with the reason, before use."""

import contextlib
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tests.support.hostile_folders import ARRAYS, GRAPH, HOSTILE, MANIFEST, graph, packed, redigest
from tests.support.small_model import exported, made_up_features

from motionscribe_models import graphs
from motionscribe_models.errors import ModelFolderError
from motionscribe_models.graphs import check_graph
from motionscribe_models.repository import read_bundle


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small network as it is exported."""
    folder = tmp_path_factory.mktemp("sound") / "1"
    exported(folder, made_up_features(200))
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy that may be harmed."""
    return Path(shutil.copytree(sound, tmp_path / "1"))


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_folder_is_refused(folder: Path, what: str) -> None:
    harm, reason = HOSTILE[what]
    harm(folder)
    with pytest.raises(ModelFolderError, match=reason) as caught:
        read_bundle(folder)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_is_written_anew_without_harm_is_served(folder: Path, compression: int) -> None:
    """The ways to do harm break nothing by themselves."""
    graph(lambda _: None)(folder)
    packed(compression)(folder)
    assert len(read_bundle(folder).graphs) == 4


def test_a_graph_of_other_tools_passes_where_it_is_plain() -> None:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])  # as numbers, not as raw bytes
    nodes = [
        helper.make_node("Constant", [], ["c"], value=weight),
        helper.make_node("LeakyRelu", ["x"], ["r"], alpha=0.1, domain="ai.onnx", doc_string="bends"),
        helper.make_node("Add", ["r", "w"], ["s"]),
        helper.make_node("Transpose", ["s"], ["y"], perm=[0]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("x", "y", "s")]
    made = helper.make_graph(nodes, "g", ends[:1], ends[1:2], [weight], doc_string="words", value_info=ends[2:])
    model = helper.make_model(made, producer_name="another tool", producer_version="1", model_version=3)
    check_graph(model.SerializeToString())


def test_a_graph_of_endlessly_many_fields_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MAX_FIELDS", 1000)
    check_graph(b"\x08\x01" * 1000)
    with pytest.raises(ModelFolderError, match="at most 1000 fields, got more"):
        check_graph(b"\x08\x01" * 1001)


@pytest.mark.parametrize("file", [GRAPH, "encoder.int8.onnx", ARRAYS, MANIFEST])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(place=st.floats(0, 1), cut=st.integers(0, 9), put=st.binary(max_size=9))
def test_damage_anywhere_is_refused_or_harmless(folder: Path, file: str, place: float, cut: int, put: bytes) -> None:
    """No bytes make anything but a refusal of ours: others would be a way to stop a server without a reason."""
    sound = (folder / file).read_bytes()
    at = int(place * len(sound))
    (folder / file).write_bytes(sound[:at] + put + sound[at + cut :])
    if file != MANIFEST:
        redigest(folder)
    with contextlib.suppress(ModelFolderError):
        read_bundle(folder)
    (folder / file).write_bytes(sound)
    redigest(folder)
