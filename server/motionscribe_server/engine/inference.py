"""ONNX Runtime behind two verbs: a new state, and the next frames for many streams.

In: the running encoder states (W, H) of some streams and a few Steps for each. Out: each state advanced in place, and
WindowStates for the streams whose window is complete. Streams are computed together in fixed, warmed batch sizes, short
batches padded with zeros. The sessions are made from verified bytes, and a variant that does not repeat the trainer's
reference windows is refused. No policy here (which streams are due is the scheduler's business), no asyncio. The only
module that imports onnxruntime.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Single
from motionscribe_models.errors import MissingExtraError, ModelFolderError
from motionscribe_models.repository import Arrays, ModelBundle
from motionscribe_server.session.steps import Step, WindowStates, step_of

try:
    import onnxruntime as ort
except ImportError as missing:
    raise MissingExtraError("server-cpu", "running a model") from missing

if "CUDAExecutionProvider" in ort.get_available_providers():
    ort.preload_dlls()  # CUDA and cuDNN from the packages of the extra [server]; the system's otherwise

Choice = Literal["auto", "fp32", "int8"]

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
# TF32 keeps ten bits of mantissa: it would miss the tolerance of fp32 a hundredfold
PROVIDERS: dict[str, list[Any]] = {CUDA: [(CUDA, {"use_tf32": "0"}), CPU], CPU: [CPU]}
OUTPUTS = ("projected", "residual", "prediction")
BATCH_SIZES = (1, 4, 16, 64)
ERRORS = 3  # ONNX Runtime's log severity: what matters comes back as an exception


class Inference:
    """One model on one device.

    `variant` "auto" is fp32 on CUDA, and on a CPU int8 where it passes its check, otherwise fp32. `threads` 0 leaves
    their number to ONNX Runtime. Holds no stream's state, so threads may share it. Raises ModelFolderError for graphs
    that do not load, have other inputs than the manifest says or miss its tolerance.
    """

    variant: str
    """"fp32" or "int8", what is running."""
    provider: str
    """ONNX Runtime's name of the device."""
    error: float
    """Largest relative error against the reference windows, measured at construction."""
    refusals: tuple[str, ...]
    """Why what would have been preferred is not running; for the log."""

    def __init__(
        self, bundle: ModelBundle, variant: Choice = "auto", batch_sizes: Sequence[int] = BATCH_SIZES, threads: int = 1
    ) -> None:
        if not batch_sizes or min(batch_sizes) < 1 or threads < 0:
            raise ValueError(f"expected positive batch sizes and threads >= 0, got {tuple(batch_sizes)} and {threads}")
        self.manifest = bundle.manifest
        self._batch_sizes = tuple(sorted(set(batch_sizes)))
        refusals: list[str] = []
        for name, provider in _preferences(variant):
            try:
                self._start(bundle, name, provider, threads)
            except ModelFolderError as error:
                refusals.append(f"{name} on {provider}: {error}")
            else:
                self.refusals = tuple(refusals)
                return
        model = f"{self.manifest.name} version {self.manifest.version}"
        raise ModelFolderError(f"{model}: cannot be served as {variant}: {'; '.join(refusals)}")

    def __repr__(self) -> str:
        return f"<Inference {self.describe()}>"

    def describe(self) -> str:
        """One line for the log: model, variant, device, measured error."""
        return f"{self.manifest.name}/{self.manifest.version} {self.variant} on {self.provider}, error {self.error:.1e}"

    def new_state(self) -> Single:
        """The encoder states (W, H) of a stream that has seen nothing."""
        return np.zeros((self.manifest.slots, self.manifest.hidden), np.float32)

    def advance(self, states: Sequence[Single], runs: Sequence[Sequence[Step]]) -> list[WindowStates | None]:
        """Puts a run of steps into each stream's state (W, H), in place; WindowStates where it ends with a window.

        Windows that end earlier in a run are passed over. Raises ValueError for a run without a step.
        """
        if len(states) != len(runs):
            raise ValueError(f"expected one state per run, got {len(states)} states and {len(runs)} runs")
        if not all(runs):
            raise ValueError("expected a step or more in each run, got none")
        # those that go on longest come first, so that the ones that go on are always the first rows
        order = sorted(range(len(runs)), key=lambda i: -len(runs[i]))
        for batch in self._batches(len(order)):
            self._encode([states[i] for i in order[batch]], [runs[i] for i in order[batch]])
        due = [i for i, run in enumerate(runs) if run[-1].decode_slot >= 0]
        answers: list[WindowStates | None] = [None] * len(runs)
        for batch in self._batches(len(due)):
            finished = [states[i][runs[i][-1].decode_slot] for i in due[batch]]
            frames = [runs[i][-1].features for i in due[batch]]
            for i, window in zip(due[batch], self._decode(finished, frames), strict=True):
                answers[i] = window
        return answers

    def _encode(self, states: Sequence[Single], runs: Sequence[Sequence[Step]]) -> None:
        """One encoder batch for each step of the longest run, which is the first; the last rows are padding."""
        W, H, F = self.manifest.slots, self.manifest.hidden, self.manifest.features
        h = np.zeros((self._size(len(runs)), W, H), np.float32)
        h[: len(states)] = states
        for at in range(len(runs[0])):
            going = [run[at] for run in runs if len(run) > at]
            size = self._size(len(going))
            x, keep = np.zeros((size, F), np.float32), np.ones((size, W, 1), np.float32)
            for row, step in enumerate(going):
                x[row] = step.features
                if step.restart:
                    keep[row] = 0
                elif step.slot_restart >= 0:
                    keep[row, step.slot_restart] = 0
            (h2,) = self._encoder.run(["h2"], {"x": x, "h": h[:size], "keep": keep})
            h[: len(going)] = h2[: len(going)]
        for row, state in enumerate(states):
            state[...] = h[row]

    def _decode(self, states: Sequence[Single], frames: Sequence[Single]) -> list[WindowStates]:
        """One decoder batch, the last rows of which are padding; states (H,) after `frames` (F,)."""
        size = self._size(len(states))
        h = np.zeros((size, self.manifest.hidden), np.float32)
        x = np.zeros((size, self.manifest.features), np.float32)
        h[: len(states)], x[: len(frames)] = states, frames
        answers = self._decoder.run(list(OUTPUTS), {"h": h, "x": x})
        # copies: a row must not keep its whole batch alive
        return [WindowStates(*(answer[row].copy() for answer in answers)) for row in range(len(states))]

    def _batches(self, count: int) -> Iterator[slice]:
        """Slices of `count` rows, none above the largest batch size."""
        largest = self._batch_sizes[-1]
        for start in range(0, count, largest):
            yield slice(start, min(start + largest, count))

    def _size(self, rows: int) -> int:
        """The batch size that holds so many rows."""
        return next(size for size in self._batch_sizes if size >= rows)

    def _start(self, bundle: ModelBundle, name: str, provider: str, threads: int) -> None:
        """Loads a variant, runs each batch size once and checks the answers. Raises ModelFolderError."""
        m = self.manifest
        if name not in m.variants:
            raise ModelFolderError(f"expected one of the variants {sorted(m.variants)}, got {name}")
        variant, W, H = m.variants[name], m.slots, m.hidden
        encoder_shapes = {"x": [m.features], "h": [W, H], "keep": [W, 1]}
        self._encoder = _load(bundle.graphs[variant.encoder], encoder_shapes, ("h2",), provider, threads)
        self._decoder = _load(bundle.graphs[variant.decoder], {"h": [H], "x": [m.features]}, OUTPUTS, provider, threads)
        self.variant, self.provider = name, provider
        try:
            for size in self._batch_sizes:  # kernels are chosen and memory is planned at the first run of a shape
                idle = step_of(np.zeros(m.features, np.float32), 0, None, m.window)
                self._encode([self.new_state()] * size, [[idle]] * size)
                self._decode([np.zeros(H, np.float32)] * size, [idle.features] * size)
            self.error = self._self_check(bundle.reference)
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise ModelFolderError(f"expected graphs that run, got {error}") from error
        if not self.error <= variant.tolerance:
            wanted = f"expected the reference windows within {variant.tolerance:.1e}"
            raise ModelFolderError(f"{wanted}, got a relative error of {self.error:.1e}")

    def _self_check(self, reference: Arrays) -> float:
        """Replays the reference windows as streams, twice, so that a state also starts afresh.

        A windowed model's slot 0 does so by itself, a state that runs on at a restart.
        """
        windows, window, stride = reference["windows"], self.manifest.forgets_after, self.manifest.stride
        states, errors = [self.new_state() for _ in windows], []
        for turn in range(2):
            for t in range(windows.shape[1]):
                index = t if window is None else turn * window + t
                last = t == windows.shape[1] - 1  # the reference has no answers to the windows before
                steps = [
                    replace(step_of(row, index, window, stride), decode_slot=0 if last else -1) for row in windows[:, t]
                ]
                answers = self.advance(states, [[step] for step in steps])
            # what the PCA leaves out may be next to nothing: its error counts by the length of the whole
            whole = math.hypot(*(float(np.linalg.norm(reference[part])) for part in ("projected", "residual")))
            for output in OUTPUTS:
                got = np.stack([getattr(answer, output) for answer in answers])
                errors.append(relative_error(got, reference[output], whole if output == "residual" else None))
        return float(np.max(errors))  # NaN where any is


def relative_error(got: NDArray[np.floating], wanted: NDArray[np.floating], whole: float | None = None) -> float:
    """||got - wanted|| / ||wanted||, or over `whole`, in float64. Raises ValueError for different shapes."""
    if got.shape != wanted.shape:
        raise ValueError(f"expected shape {wanted.shape}, got {got.shape}")
    difference = got.astype(np.float64) - wanted.astype(np.float64)
    return float(np.linalg.norm(difference) / (whole or np.linalg.norm(wanted.astype(np.float64))))


def _preferences(choice: Choice) -> list[tuple[str, str]]:
    """Pairs (variant, provider), the best first. int8 is for CPUs: CUDA has no such kernel."""
    cuda = [("fp32", CUDA)] if CUDA in ort.get_available_providers() else []
    match choice:
        case "auto":
            return [*cuda, ("int8", CPU), ("fp32", CPU)]
        case "fp32":
            return [*cuda, ("fp32", CPU)]
        case "int8":
            return [("int8", CPU)]
        case _:
            raise ValueError(f'expected variant "auto", "fp32" or "int8", got {choice!r}')


def _load(graph: bytes, inputs: dict[str, list[int]], outputs: tuple[str, ...], provider: str, threads: int) -> Any:
    """A session of one graph whose inputs (N, ...) and outputs are as promised. Raises ModelFolderError."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS
    # what was checked is ONNX; bytes that are also its own format are read as that otherwise
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # idle threads would otherwise burn a core per session between two frames
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        session = ort.InferenceSession(graph, options, providers=PROVIDERS[provider])
    except Exception as error:  # ONNX Runtime's errors have no common base
        raise ModelFolderError(f"expected an ONNX graph, got {len(graph)} bytes: {error}") from error
    if session.get_providers()[0] != provider:  # ONNX Runtime goes on without a device that does not start
        raise ModelFolderError(f"expected {provider} to start, got {session.get_providers()}")
    got_inputs = {node.name: node.shape[1:] for node in session.get_inputs()}
    got_outputs = tuple(node.name for node in session.get_outputs())
    if got_inputs != inputs or set(got_outputs) != set(outputs):
        raise ModelFolderError(f"expected a graph from {inputs} to {outputs}, got {got_inputs} to {got_outputs}")
    return session
