"""Inference: states that run equal what is recomputed, a batch changes no answer, a foreign model is refused."""

import importlib
import platform
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from tests.support.small_model import (
    STRIDE,
    H,
    M,
    P,
    T,
    exported,
    made_up_features,
    real_features,
    recompute,
    small_network,
)

from motionscribe_models.errors import MissingExtraError, ModelFolderError
from motionscribe_models.manifest import FORMAT, WINDOWED
from motionscribe_models.repository import ModelBundle
from motionscribe_server.engine.batching import take
from motionscribe_server.engine.inference import CUDA, Choice, Inference, relative_error
from motionscribe_server.session.steps import Step, WindowStates, step_of

# Bit for bit on x86: ONNX Runtime packs constant weights once and then runs one kernel for any number of rows
SAME = 0.0 if platform.machine() in ("x86_64", "AMD64") else 1e-6
MOTION = made_up_features(400)
F = MOTION.shape[1]
VARIANTS: list[Choice] = ["fp32", "int8"]


@pytest.fixture(scope="module", params=[WINDOWED, FORMAT], ids=["windowed", "running"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    return exported(tmp_path_factory.mktemp("model") / "1", MOTION, form=request.param)


@pytest.fixture(scope="module", params=VARIANTS)
def inference(request: pytest.FixtureRequest, bundle: ModelBundle) -> Inference:
    return Inference(bundle, request.param)


def steps_of(model: Inference | ModelBundle, features: NDArray[np.float32]) -> list[Step]:
    return [step_of(frame, index, model.manifest.forgets_after, STRIDE) for index, frame in enumerate(features)]


def alone(inference: Inference, steps: Sequence[Step]) -> list[WindowStates | None]:
    state = inference.new_state()
    return [inference.advance([state], [[step]])[0] for step in steps]


def worst(got: WindowStates, wanted: dict[str, NDArray[np.float64]]) -> float:
    return max(relative_error(getattr(got, name), wanted[name]) for name in wanted)


def assert_same(got: Sequence[WindowStates | None], wanted: Sequence[WindowStates | None]) -> None:
    for a, b in zip(got, wanted, strict=True):
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            for name in ("projected", "residual", "prediction"):
                np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=SAME, atol=SAME)


@pytest.mark.data
@pytest.mark.parametrize(("variant", "tolerance"), [("fp32", 1e-5), ("int8", 3e-2)])
@pytest.mark.parametrize("form", [WINDOWED, FORMAT])
def test_states_that_run_equal_what_is_recomputed(
    tmp_path: Path, data_dir: Path, variant: Choice, tolerance: float, form: int
) -> None:
    features = real_features(data_dir, "basketball_1")
    network = small_network(features)
    inference = Inference(exported(tmp_path / "1", features, form=form), variant)
    answers = alone(inference, steps_of(inference, features))
    errors = []
    for end, answer in enumerate(answers, start=1):
        assert (answer is not None) == (end % STRIDE == 0)
        if answer is not None:  # until T frames were seen, a window holds them all
            begin = max(0, end - T) if form == WINDOWED else 0
            errors.append(worst(answer, recompute(network, features[begin:end])))
    assert len(errors) > 2 * T // STRIDE
    assert max(errors) < tolerance


def test_a_restart_forgets_everything(inference: Inference) -> None:
    fresh = alone(inference, steps_of(inference, MOTION[100:180]))
    state = inference.new_state()
    for step in steps_of(inference, MOTION[:93]):
        inference.advance([state], [[step]])
    again = [inference.advance([state], [[step]])[0] for step in steps_of(inference, MOTION[100:180])]
    assert_same(again, fresh)


def test_shapes_and_types(inference: Inference) -> None:
    state = inference.new_state()
    assert state.shape == (inference.manifest.slots, H)
    assert not state.any()
    answers = [inference.advance([state], [[step]])[0] for step in steps_of(inference, MOTION[:STRIDE])]
    assert answers[:-1] == [None] * (STRIDE - 1)
    last = answers[-1]
    assert last is not None
    assert (last.projected.shape, last.residual.shape, last.prediction.shape) == ((M, P), (M,), (M, F))
    assert {last.projected.dtype, last.residual.dtype, last.prediction.dtype, state.dtype} == {np.dtype(np.float32)}
    assert inference.advance([], []) == []
    with pytest.raises(ValueError, match="expected one state per run, got 1 states and 0 runs"):
        inference.advance([state], [])
    with pytest.raises(ValueError, match="expected a step or more in each run, got none"):
        inference.advance([state], [[]])


@settings(max_examples=8, deadline=None)
@given(
    data=st.data(),
    sizes=st.sampled_from([(1,), (1, 4, 16, 64), (3,), (2, 5), (16,)]),
    variant=st.sampled_from(VARIANTS),
)
def test_company_in_a_batch_changes_no_answer(
    bundle: ModelBundle, data: st.DataObject, sizes: tuple[int, ...], variant: Choice
) -> None:
    """Streams of different motion that come and go: each gets what it gets alone, in runs of any length."""
    single, batched = Inference(bundle, variant, (1,)), Inference(bundle, variant, sizes)
    streams = [
        steps_of(bundle, MOTION[start : start + 50])
        for start in data.draw(st.lists(st.integers(0, 350), min_size=1, max_size=20))
    ]
    states = [batched.new_state() for _ in streams]
    answers: list[list[WindowStates | None]] = [[] for _ in streams]
    chance = np.random.default_rng(data.draw(st.integers(0, 9)))
    while waiting := [i for i, done in enumerate(answers) if len(done) < 50]:
        due = [i for i in waiting if chance.random() < 0.7]
        runs = []
        for i in due:
            waiting_steps = deque(streams[i][len(answers[i]) : len(answers[i]) + int(chance.integers(1, STRIDE + 1))])
            runs.append(take(waiting_steps))
        for i, run, answer in zip(due, runs, batched.advance([states[i] for i in due], runs), strict=True):
            answers[i] += [*[None] * (len(run) - 1), answer]
    for got, steps in zip(answers, streams, strict=True):
        assert_same(got, alone(single, steps))


@pytest.mark.data
@pytest.mark.parametrize("variant", VARIANTS)
def test_ten_recordings_together_and_alone(data_dir: Path, tmp_path: Path, variant: Choice) -> None:
    actions = ("basketball", "jumping", "running", "soccer", "walking")
    names = [f"{action}_{trial}" for action in actions for trial in (1, 2)]
    recordings = [real_features(data_dir, name)[:120] for name in names]
    inference = Inference(exported(tmp_path / "1", np.concatenate(recordings)), variant, threads=2)
    states = [inference.new_state() for _ in names]
    together: list[list[WindowStates | None]] = [[] for _ in names]
    streams = [steps_of(inference, r) for r in recordings]
    for t in range(max(len(r) for r in recordings)):
        due = [i for i, steps in enumerate(streams) if t < len(steps)]
        answers = inference.advance([states[i] for i in due], [[streams[i][t]] for i in due])
        for i, answer in zip(due, answers, strict=True):
            together[i].append(answer)
    for got, steps in zip(together, streams, strict=True):
        assert_same(got, alone(inference, steps))
    ends = [[a.projected for a in got if a is not None][-1] for got in together]
    assert min(np.abs(a - b).max() for i, a in enumerate(ends) for b in ends[:i]) > 1e-3  # they do differ


def test_automatic_is_int8_on_a_cpu(bundle: ModelBundle) -> None:
    inference = Inference(bundle)
    assert (inference.variant, inference.provider, inference.refusals) == ("int8", "CPUExecutionProvider", ())
    assert inference.describe().startswith("small/1 int8 on CPUExecutionProvider, error ")
    assert inference.error <= bundle.manifest.variants["int8"].tolerance


def with_tolerance(bundle: ModelBundle, **tolerances: float) -> ModelBundle:
    variants = {
        name: replace(variant, error=0.0, tolerance=tolerances.get(name, variant.tolerance))
        for name, variant in bundle.manifest.variants.items()
    }
    return replace(bundle, manifest=replace(bundle.manifest, variants=variants))


def test_int8_that_misses_its_tolerance_makes_way_for_fp32(bundle: ModelBundle) -> None:
    strict = with_tolerance(bundle, int8=1e-6)
    inference = Inference(strict)
    assert inference.variant == "fp32"
    (refusal,) = inference.refusals
    assert "int8 on CPUExecutionProvider: expected the reference windows within 1.0e-06, got" in refusal
    with pytest.raises(
        ModelFolderError, match=r"small version 1: cannot be served as int8: .* got a relative error of"
    ):
        Inference(strict, "int8")


def test_a_device_that_does_not_start_is_said_and_done_without(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    if CUDA in ort.get_available_providers():
        pytest.skip("this machine has CUDA")
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, "CPUExecutionProvider"])
    inference = Inference(bundle)
    assert (inference.variant, inference.provider) == ("int8", "CPUExecutionProvider")
    assert inference.refusals[0].startswith("fp32 on CUDAExecutionProvider: ")


def with_graph(bundle: ModelBundle, file: str, raw: bytes) -> ModelBundle:
    return replace(bundle, graphs={**bundle.graphs, file: raw})


def reading_a_file() -> bytes:
    """A decoder whose weights are said to lie in a file of the machine."""
    weight = numpy_helper.from_array(np.zeros((H, F), np.float32), "w")
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="/etc/passwd")
    node = helper.make_node("MatMul", ["h", "w"], ["prediction"])
    values = [
        helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ("N", k)) for n, k in (("h", H), ("prediction", F))
    ]
    made = helper.make_graph([node], "g", values[:1], values[1:], [weight])
    opsets = [helper.make_opsetid("", 17)]
    raw: bytes = helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString()
    return raw


def test_graphs_that_are_none_are_refused(bundle: ModelBundle) -> None:
    decoder = bundle.graphs["decoder.onnx"]
    for raw, reason in (
        (b"", "expected an ONNX graph, got 0 bytes"),
        (b"not a graph", "expected an ONNX graph, got 11 bytes"),
        (decoder[: len(decoder) // 2], "expected an ONNX graph"),
        (bundle.graphs["encoder.onnx"], r"expected a graph from \{'h': \[48\], 'x': \[60\]\} to .*, got \{'x': \[60\]"),
        (reading_a_file(), "expected an ONNX graph"),
    ):
        with pytest.raises(ModelFolderError, match=reason):
            Inference(with_graph(bundle, "decoder.onnx", raw), "fp32")


def test_the_runtimes_own_format_is_refused(bundle: ModelBundle, tmp_path: Path) -> None:
    """Nobody has looked into that: graphs.py reads ONNX."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "decoder.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(bundle.graphs["decoder.onnx"], options, providers=["CPUExecutionProvider"])
    raw = (tmp_path / "decoder.ort").read_bytes()
    assert raw[4:8] == b"ORTM"
    with pytest.raises(ModelFolderError, match="expected an ONNX graph, got"):
        Inference(with_graph(bundle, "decoder.onnx", raw), "fp32")


@pytest.mark.parametrize("file", ["encoder.onnx", "decoder.onnx"])
def test_a_graph_of_another_network_is_refused(bundle: ModelBundle, tmp_path: Path, file: str) -> None:
    other = exported(tmp_path / "1", MOTION, seed=1, form=bundle.manifest.format)
    with pytest.raises(ModelFolderError, match=r"expected the reference windows within 3.0e-05, got a relative error"):
        Inference(with_graph(bundle, file, other.graphs[file]), "fp32")


def test_a_graph_that_never_restarts_a_slot_is_refused(bundle: ModelBundle) -> None:
    model = onnx.load_from_string(bundle.graphs["encoder.onnx"])
    (product,) = (node for node in model.graph.node if "keep" in node.input)
    product.CopyFrom(helper.make_node("Identity", ["h"], list(product.output)))
    with pytest.raises(ModelFolderError, match="expected the reference windows within"):
        Inference(with_graph(bundle, "encoder.onnx", model.SerializeToString()), "fp32")


@pytest.mark.parametrize("name", ["windows", "projected", "residual", "prediction"])
def test_every_reference_array_is_compared(bundle: ModelBundle, name: str) -> None:
    changed = {**bundle.reference, name: bundle.reference[name] * np.float32(1.001)}
    with pytest.raises(ModelFolderError, match="expected the reference windows within"):
        Inference(replace(bundle, reference=changed), "fp32")


def test_nan_answers_are_refused(bundle: ModelBundle) -> None:
    model = onnx.load_from_string(bundle.graphs["decoder.onnx"])
    for tensor in model.graph.initializer:
        if tensor.name == "pca_mean":
            tensor.CopyFrom(numpy_helper.from_array(np.full(H, np.nan, np.float32), "pca_mean"))
    with pytest.raises(ModelFolderError, match="got a relative error of nan"):
        Inference(with_graph(bundle, "decoder.onnx", model.SerializeToString()), "fp32")


def test_wrong_arguments_are_refused(bundle: ModelBundle) -> None:
    for sizes, threads in (((), 1), ((0, 4), 1), ((1,), -1)):
        with pytest.raises(ValueError, match="expected positive batch sizes and threads >= 0"):
            Inference(bundle, "fp32", sizes, threads)
    with pytest.raises(ValueError, match='expected variant "auto", "fp32" or "int8", got \'fp16\''):
        Inference(bundle, "fp16")  # type: ignore[arg-type]  # the point of the test


def test_without_onnxruntime_the_pip_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "motionscribe_server.engine.inference")
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[server-cpu\]"'):
        importlib.import_module("motionscribe_server.engine.inference")
