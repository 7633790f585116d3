"""Export: the folder computes what torch computes, what does not is refused, the same network gives the same bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from tests.support.small_model import (
    M,
    P,
    T,
    draft,
    exported,
    made_up_features,
    real_features,
    recompute,
    small_network,
    some_windows,
)

from motionscribe_models.errors import ModelFolderError
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference, relative_error
from motionscribe_training.exporting import export as module
from motionscribe_training.exporting import graph
from motionscribe_training.exporting.export import PARITY, ExportError, export, reference_of, weights_of
from motionscribe_training.exporting.graph import Weights, decoder_graph, encoder_graph
from motionscribe_training.network.seq2seq import Seq2Seq

MOTION = made_up_features(400)
F = MOTION.shape[1]
NAMES = ("windows", "projected", "residual", "prediction")


@pytest.fixture(scope="module")
def network() -> Seq2Seq:
    return small_network(MOTION)


@pytest.mark.data
@pytest.mark.parametrize("name", ["basketball_1", "jumping_2", "washwindow_1"])
def test_torch_and_onnx_agree_on_real_windows(tmp_path: Path, data_dir: Path, name: str) -> None:
    features = real_features(data_dir, name)
    bundle = exported(tmp_path / "1", features)
    twin = small_network(features)
    for window, *answers in zip(*(bundle.reference[k] for k in NAMES), strict=True):
        wanted = recompute(twin, window)
        for got, want in zip(answers, wanted.values(), strict=True):
            assert relative_error(got, want) < 1e-6
    assert Inference(bundle, "fp32").error < PARITY
    assert 0 < Inference(bundle, "int8").error < 0.01


def test_large_numbers_that_hardly_change_are_computed_as_exactly(tmp_path: Path) -> None:
    """A pressure in pascal, and a single column, of whose states the PCA leaves out next to nothing."""
    for name, features in {
        "pressure": np.float32(101_325) + 4 * MOTION,
        "column": np.float32(20) + MOTION[:, :1],
    }.items():
        bundle = exported(tmp_path / name / "1", features.astype(np.float32))
        assert Inference(bundle, "fp32").error < PARITY
        assert Inference(bundle, "int8").error < 0.05


def test_the_manifest_is_the_draft_completed(tmp_path: Path) -> None:
    manifest = exported(tmp_path / "1", MOTION).manifest
    assert replace(manifest, variants={}, files={}) == draft(F)
    assert sorted(p.name for p in (tmp_path / "1").iterdir()) == [
        "arrays.npz",
        *sorted(
            ["decoder.onnx", "decoder.int8.onnx", "encoder.onnx", "encoder.int8.onnx", "manifest.json", "reference.npz"]
        ),
    ]
    for name, variant in manifest.variants.items():
        measured = Inference(read_bundle(tmp_path / "1"), name).error  # type: ignore[arg-type]  # keys are the choices
        assert variant.error == pytest.approx(measured, rel=0.05), name  # the manifest keeps two digits
        assert variant.tolerance == pytest.approx(3 * max(variant.error, PARITY), rel=0.1)


def test_the_reference_is_torch_in_float64(network: Seq2Seq) -> None:
    windows = some_windows(MOTION, 4)
    reference = reference_of(network, windows, M)
    np.testing.assert_array_equal(reference["windows"], windows)
    for i, window in enumerate(windows):
        for name, want in recompute(network, window).items():
            np.testing.assert_array_equal(reference[name][i], reference[name][i].astype(np.float32))
            assert relative_error(reference[name][i], want) < 1e-7
    assert network.mean.dtype == torch.float32  # the network itself was left alone


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    for run, seed in (("a", 0), ("b", 0), ("c", 1)):
        exported(tmp_path / run, MOTION, seed)
    files = {run: {p.name: p.read_bytes() for p in (tmp_path / run).iterdir()} for run in "abc"}
    assert files["a"] == files["b"]
    assert all(files["a"][name] != files["c"][name] for name in files["a"] if name != "arrays.npz")


@pytest.mark.parametrize(
    ("share", "reason"),
    [(1e-3, "expected fp32 graphs within 1e-05 of torch, got"), (1.0, "fp32: the graphs do not repeat the network")],
)
def test_a_subtly_wrong_cell_is_refused(
    network: Seq2Seq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, reason: str
) -> None:
    def reset_gate_without_bias(network: Seq2Seq) -> Weights:
        """A share of b_hn outside the reset gate, where other frameworks have all of it."""
        w = weights_of(network)
        inside = np.r_[np.zeros(2 * w.hidden), share * w.bias_hh[2 * w.hidden :]]
        return replace(w, bias_hh=w.bias_hh - inside, bias_ih=w.bias_ih + inside)

    monkeypatch.setattr(module, "weights_of", reset_gate_without_bias)
    with pytest.raises(ExportError, match=reason):
        export(network, folder=tmp_path / "1", draft=draft(F), arrays={}, windows=some_windows(MOTION, 3))
    assert list(tmp_path.iterdir()) == []


def test_an_int8_variant_that_is_far_off_is_left_out(
    network: Seq2Seq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "STATE_SCALE", 1 / 6)
    manifest = export(network, folder=tmp_path / "1", draft=draft(F), arrays={}, windows=some_windows(MOTION, 3))
    assert list(manifest.variants) == ["fp32"]
    assert sorted(p.name for p in (tmp_path / "1").glob("*.onnx")) == ["decoder.onnx", "encoder.onnx"]
    assert Inference(read_bundle(tmp_path / "1")).variant == "fp32"
    with pytest.raises(ModelFolderError, match=r"cannot be served as int8: .*expected one of the variants \['fp32'\]"):
        Inference(read_bundle(tmp_path / "1"), "int8")


def test_int8_products_of_the_largest_states_and_weights_do_not_saturate(network: Seq2Seq) -> None:
    """All states near 1 and equal weights make the largest sums, which a 16-bit accumulator must hold."""
    assert 2 * (graph.STATE_ZERO + round(1 / graph.STATE_SCALE)) * 127 < 2**15  # where this processor has a wider one
    w = weights_of(network)
    w = replace(w, weight_hh=np.full_like(w.weight_hh, 0.5 / w.hidden))
    feeds = {
        "x": np.zeros((1, w.features), np.float32),
        "h": np.full((1, 5, w.hidden), 62 / 63, np.float32),
        "keep": np.ones((1, 5, 1), np.float32),
    }
    exact, rounded = (
        ort.InferenceSession(encoder_graph(w, 5, int8=int8), providers=["CPUExecutionProvider"]).run(["h2"], feeds)[0]
        for int8 in (False, True)
    )
    assert relative_error(rounded, exact) < 1e-5


@pytest.mark.parametrize("int8", [False, True])
def test_graphs_have_no_control_flow_and_one_file(network: Seq2Seq, int8: bool) -> None:
    w = weights_of(network)
    for raw in (encoder_graph(w, 5, int8=int8), decoder_graph(w, M, int8=int8)):
        model = onnx.load_from_string(raw)
        onnx.checker.check_model(model)
        kinds = {node.op_type for node in model.graph.node}
        assert not kinds & {"Loop", "Scan", "If", "GRU"}
        assert ("MatMulIntegerToFloat" in kinds) == int8
        assert all(t.data_location == onnx.TensorProto.DEFAULT for t in model.graph.initializer)
    # the input half of a frame is computed once for all slots; a decoder step has one recurrent and one small MatMul
    encoder, decoder = (
        onnx.load_from_string(g) for g in (encoder_graph(w, 5, int8=False), decoder_graph(w, M, int8=False))
    )
    assert sum(node.op_type == "MatMul" for node in encoder.graph.node) == 2
    assert sum(node.op_type == "MatMul" for node in decoder.graph.node) == 2 * (M - 1) + 3


def test_what_does_not_fit_is_refused(network: Seq2Seq, tmp_path: Path) -> None:
    windows = some_windows(MOTION, 3)
    for changed, given, reason in (
        (replace(draft(F), hidden=49), windows, r"expected F, H, P = \(60, 49, 8\) as drafted, got \(60, 48, 8\)"),
        (replace(draft(F), projected=P - 1), windows, "expected F, H, P"),
        (draft(F), windows[:, 1:], rf"expected windows such as \(R, {T}, {F}\), got \(3, {T - 1}, {F}\)"),
        (draft(F), windows[:0], r"got \(0, "),
        (draft(F), windows[0], "expected windows"),
        (draft(F), np.full_like(windows, np.nan), "windows: expected numbers .*, got float32 with 7200 not finite"),
    ):
        with pytest.raises(ExportError, match=reason):
            export(network, folder=tmp_path / "1", draft=changed, arrays={}, windows=given)
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_pca_or_with_nan_is_refused(tmp_path: Path) -> None:
    unfitted = Seq2Seq(F, 48)
    with pytest.raises(ValueError, match="expected a fitted PCA and positive std, got 0 components"):
        weights_of(unfitted)
    broken = small_network(MOTION)
    with torch.no_grad():
        broken.out.bias[0] = torch.nan
    with pytest.raises(ValueError, match=r"out_bias: expected \(60,\), all finite"):
        weights_of(broken)


def test_a_version_is_never_overwritten(tmp_path: Path, network: Seq2Seq) -> None:
    exported(tmp_path / "1", MOTION)
    before = (tmp_path / "1" / "manifest.json").read_bytes()
    with pytest.raises(ExportError, match="expected a new folder"):
        exported(tmp_path / "1", MOTION, seed=1)
    assert (tmp_path / "1" / "manifest.json").read_bytes() == before


def test_objects_are_not_written(tmp_path: Path, network: Seq2Seq) -> None:
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        export(
            network,
            folder=tmp_path / "1",
            draft=draft(F),
            arrays={"names": np.array([{}], object)},
            windows=some_windows(MOTION, 3),
        )
    assert list(tmp_path.iterdir()) == []
