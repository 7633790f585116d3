"""The network as two fixed ONNX graphs: one encoder step over all states of a stream, and the unrolled decoder.

In: Weights, plain float64 arrays of a trained network. Out: ONNX bytes, the same for the same weights. Only MatMul and
elementwise operators, no Loop, Scan or GRU: CUDA graphs refuse control flow, and ONNX Runtime quantises no GRU. Shapes,
N symbolic:

  encoder  x (N, F) raw features, h (N, W, H), keep (N, W, 1) 0 where a slot restarts before this frame -> h2 (N, W, H)
  decoder  h (N, H) a slot's state after its last frame, x (N, F) that frame, raw
           -> projected (N, M, P), residual (N, M), prediction (N, M, F)

Features and predictions have raw units: normalisation is folded into the weights. The PCA is inside. The decoder is fed
its own output, the frame before plus W_out h + b_out. Nothing is verified here: export.py does that.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from motionscribe_models.arrays import Array

OPSET = 17
IR_VERSION = 8  # of onnx 1.12, which introduced opset 17: old runtimes read it
# A GRU state lies in (-1, 1), so its int8 scale needs no calibration. 7 bits, 1..127 around 64: x86 without VNNI adds
# pairs of products in 16 bits, 2 * 127 * 127 fits and 2 * 255 * 127 saturates (relative error 4e-2 in place of 5e-3).
STATE_SCALE, STATE_ZERO = 1 / 63, 64


@dataclass(frozen=True)
class Weights:
    """A trained network, float64. Gates stand in torch's order r, z, n."""

    weight_ih: Array
    """(3 H, F)"""
    weight_hh: Array
    """(3 H, H)"""
    bias_ih: Array
    """(3 H,)"""
    bias_hh: Array
    """(3 H,); its n third is inside the reset gate."""
    out_weight: Array
    """(F, H)"""
    out_bias: Array
    """(F,)"""
    mean: Array
    """(F,) mean of raw features."""
    std: Array
    """(F,) scale of raw features."""
    pca_mean: Array
    """(H,)"""
    pca_components: Array
    """(P, H), orthonormal rows."""

    def __post_init__(self) -> None:
        F, H, P = self.features, self.hidden, self.projected
        wanted = ((3 * H, F), (3 * H, H), (3 * H,), (3 * H,), (F, H), (F,), (F,), (F,), (H,), (P, H))
        for part, shape in zip(fields(self), wanted, strict=True):
            array = getattr(self, part.name)
            if array.shape != shape or not np.isfinite(array).all():
                raise ValueError(f"{part.name}: expected {shape}, all finite, got {array.shape}")
        if P == 0 or (self.std <= 0).any():
            raise ValueError(f"expected a fitted PCA and positive std, got {P} components, std from {self.std.min()}")

    @property
    def features(self) -> int:
        """F."""
        return int(self.weight_ih.shape[1])

    @property
    def hidden(self) -> int:
        """H."""
        return int(self.weight_hh.shape[1])

    @property
    def projected(self) -> int:
        """P."""
        return int(self.pca_components.shape[0])


def encoder_graph(weights: Weights, slots: int, *, int8: bool) -> bytes:
    """One step of W = `slots` states, serialised; `int8` quantises the recurrent MatMul."""
    w, H = weights, weights.hidden
    graph = _Builder(int8)
    # the mean is not folded into the bias: a pressure in pascal would lose all its digits in that difference
    x = graph.op("Sub", "x", graph.constant("mean", _single(w.mean)))
    gi = graph.matmul(x, "input", w.weight_ih / w.std, w.bias_ih)  # (N, 3H): once a frame, whatever W is
    gi = graph.op("Unsqueeze", gi, graph.axes(1))  # (N, 1, 3H)
    h = graph.op("Mul", "h", "keep")  # (N, W, H)
    gh = graph.recurrent(h, "recurrent", w.weight_hh, w.bias_hh)  # (N, W, 3H)
    gi_rz, gi_n = graph.split(gi, 2 * H, H)
    gh_rz, gh_n = graph.split(gh, 2 * H, H)
    graph.op("Identity", graph.gates(graph.op("Add", gi_rz, gh_rz), gi_n, gh_n, h, H), out="h2")
    return graph.serialise(
        "encoder",
        {"x": ("N", w.features), "h": ("N", slots, H), "keep": ("N", slots, 1)},
        {"h2": ("N", slots, H)},
    )


def decoder_graph(weights: Weights, steps: int, *, int8: bool) -> bytes:
    """M = `steps` decoder states and the outputs computed from them, serialised; `int8` as for the encoder."""
    w, H, F, P = weights, weights.hidden, weights.features, weights.projected
    graph = _Builder(int8)
    recurrent, bias = np.concatenate([w.weight_hh, w.out_weight]), np.concatenate([w.bias_hh, w.out_bias])
    x = graph.op("Sub", "x", graph.constant("mean", _single(w.mean)))
    x = graph.op("Div", x, graph.constant("std", _single(w.std)))  # (N, F)
    h, states = "h", ["h"]
    for _ in range(steps - 1):
        gh_rz, gh_n, change = graph.split(graph.recurrent(h, "recurrent", recurrent, bias), 2 * H, H, F)
        x = graph.op("Add", x, change)  # (N, F)
        gi_rz, gi_n = graph.split(graph.matmul(x, "input", w.weight_ih, w.bias_ih), 2 * H, H)
        h = graph.gates(graph.op("Add", gi_rz, gh_rz), gi_n, gh_n, h, H)  # (N, H)
        states.append(h)
    stacked = graph.op("Concat", *(graph.op("Unsqueeze", s, graph.axes(1)) for s in states), axis=1)  # (N, M, H)
    # computed again from the states: the last step has no change of its own, and these are never quantised
    changes = graph.matmul(stacked, "output", w.out_weight * w.std[:, None], w.out_bias * w.std)  # (N, M, F)
    moved = graph.op("CumSum", changes, graph.constant("steps", np.array(1, np.int64)))
    graph.op("Add", graph.op("Unsqueeze", "x", graph.axes(1)), moved, out="prediction")  # (N, M, F)
    centred = graph.op("Sub", stacked, graph.constant("pca_mean", _single(w.pca_mean)))
    projected = graph.matmul(centred, "pca", w.pca_components)
    graph.op("Identity", projected, out="projected")  # (N, M, P)
    # the difference of vectors, not of squared norms: those cancel where the PCA explains nearly all
    left = graph.op("Sub", centred, graph.matmul(projected, "pca_back", w.pca_components.T))
    graph.op("ReduceL2", left, axes=[-1], keepdims=0, out="residual")  # (N, M)
    return graph.serialise(
        "decoder",
        {"h": ("N", H), "x": ("N", F)},
        {"projected": ("N", steps, P), "residual": ("N", steps), "prediction": ("N", steps, F)},
    )


def weights_in(graph: bytes) -> Weights:
    """The weights that a decoder_graph of fp32 was made of, as float32 kept them. Raises ValueError for others."""
    found = {
        constant.name: numpy_helper.to_array(constant) for constant in onnx.load_from_string(graph).graph.initializer
    }
    names = ("input", "input_bias", "recurrent", "recurrent_bias", "mean", "std", "pca_mean", "pca")
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"expected the constants of a decoder, got none named {', '.join(missing)}")
    parts = {name: found[name].astype(np.float64) for name in names}
    hidden = len(parts["pca_mean"])
    recurrent, bias = parts["recurrent"].T, parts["recurrent_bias"]
    return Weights(
        weight_ih=parts["input"].T,
        weight_hh=recurrent[: 3 * hidden],
        bias_ih=parts["input_bias"],
        bias_hh=bias[: 3 * hidden],
        out_weight=recurrent[3 * hidden :],
        out_bias=bias[3 * hidden :],
        mean=parts["mean"],
        std=parts["std"],
        pca_mean=parts["pca_mean"],
        pca_components=parts["pca"].T,
    )


class _Builder:
    """Collects nodes and constants. Values are named by their number, so that the same calls give the same bytes."""

    def __init__(self, int8: bool) -> None:
        self.int8 = int8
        self.nodes: list[Any] = []
        self.constants: dict[str, TensorProto] = {}

    def constant(self, name: str, array: NDArray[Any]) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def axes(self, axis: int) -> str:
        return self.constant(f"axis{axis}", np.array([axis], np.int64))

    def op(self, kind: str, *inputs: str, out: str = "", domain: str = "", **attributes: Any) -> str:
        out = out or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], domain=domain, **attributes))
        return out

    def split(self, value: str, *sizes: int) -> list[str]:
        outs = [f"v{len(self.nodes)}_{i}" for i in range(len(sizes))]
        lengths = self.constant("split" + "_".join(map(str, sizes)), np.array(sizes, np.int64))
        self.nodes.append(helper.make_node("Split", [value, lengths], outs, axis=-1))
        return outs

    def matmul(self, value: str, name: str, weight: Array, bias: Array | None = None) -> str:
        """Computes value (..., K) @ weight (L, K) transposed + bias (L,), in float32."""
        product = self.op("MatMul", value, self.constant(name, _single(weight.T)))
        return product if bias is None else self.op("Add", product, self.constant(f"{name}_bias", _single(bias)))

    def recurrent(self, state: str, name: str, weight: Array, bias: Array) -> str:
        """Like matmul, for a state in (-1, 1); int8 graphs use a fixed state scale and one weight scale per row."""
        if not self.int8:
            return self.matmul(state, name, weight, bias)
        largest = np.abs(weight).max(axis=1)  # (L,)
        scale = _single(np.where(largest > 0, largest, 1.0) / 127)
        quantised = np.clip(np.rint(weight.T / scale), -127, 127).astype(np.int8)  # (K, L)
        state_scale = self.constant("state_scale", np.array(STATE_SCALE, np.float32))
        state_zero = self.constant("state_zero", np.array(STATE_ZERO, np.uint8))
        return self.op(
            "MatMulIntegerToFloat",
            self.op("QuantizeLinear", state, state_scale, state_zero),
            self.constant(name, quantised),
            state_scale,
            self.constant(f"{name}_scale", scale),
            state_zero,
            self.constant(f"{name}_zero", np.zeros(len(scale), np.int8)),
            self.constant(f"{name}_bias", _single(bias)),
            domain="com.microsoft",
        )

    def gates(self, rz: str, gi_n: str, gh_n: str, h: str, H: int) -> str:
        """Sums of r and z, input and recurrent half of n, old state -> new state: (1 - z) n + z h."""
        r, z = self.split(self.op("Sigmoid", rz), H, H)
        n = self.op("Tanh", self.op("Add", gi_n, self.op("Mul", r, gh_n)))
        return self.op("Add", n, self.op("Mul", z, self.op("Sub", h, n)))

    def serialise(self, name: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> bytes:
        ins, outs = (
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in values.items()]
            for values in (inputs, outputs)
        )
        opsets = [helper.make_opsetid("", OPSET)] + [helper.make_opsetid("com.microsoft", 1)] * self.int8
        graph = helper.make_graph(self.nodes, name, ins, outs, list(self.constants.values()))
        model: ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        raw: bytes = model.SerializeToString(deterministic=True)
        return raw


def _single(array: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, dtype=np.float32)
