"""Models to measure, and the two things that ours is compared with.

A model of CMU subject 86 at another size, trained for one iteration: what it says is worthless, what it costs is not.
"""

import io
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motionscribe_models.manifest import read_manifest
from motionscribe_models.repository import ModelBundle, read_bundle
from motionscribe_models.shipped import shipped_models
from motionscribe_training.exporting.export import export
from motionscribe_training.network.seq2seq import Seq2Seq

WINDOW, STEPS, PROJECTED = 50, 25, 32
MODELS = Path("runs/speed")

Features = NDArray[np.float32]


def model_of(data: Path, hidden: int, stride: int) -> ModelBundle:
    """Made once."""
    name = f"h{hidden}-stride{stride}"
    folder = MODELS / name / "1"
    if not folder.exists():
        sizes = f"--hidden {hidden} --source-seq-len {WINDOW} --target-seq-len {STEPS} --projected {PROJECTED}"
        options = [*sizes.split(), "--stride", str(stride), "--iterations", "1", "--name", name]
        places = [str(data / "sub86"), *options, "--out", str(MODELS), "--log", str(MODELS / "log")]
        subprocess.run([sys.executable, "-m", "motionscribe_training", "run", *places], check=True)
    return read_bundle(folder)


def like_shipped(hidden: int, form: int, steps: int) -> ModelBundle:
    """A model of the sizes of the shipped ones but for `hidden`, of format `form`, that learnt nothing."""
    manifest = read_manifest(shipped_models() / "body" / "1")
    torch.manual_seed(0)
    network = Seq2Seq(manifest.features, hidden)
    network.pca_components = torch.linalg.qr(torch.randn(hidden, manifest.projected)).Q.T.contiguous()
    draft = replace(manifest, hidden=hidden, decoder_steps=steps, variants={}, files={}, format=form)
    windows = np.random.default_rng(0).normal(size=(4, manifest.window, manifest.features)).astype(np.float32)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / manifest.name / manifest.version
        export(network, folder=folder, draft=draft, arrays={}, windows=windows)
        return read_bundle(folder)


class WholeWindow(nn.Module):
    """What the paper's code computes for each window, all of it."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = Seq2Seq(features, hidden)
        self.network.pca_components = torch.randn(PROJECTED, hidden)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Raw features (B, T, F) to projected states (B, M, P) and predictions (B, M, F)."""
        normal = self.network.normalise(windows)  # (B, T, F)
        states, predictions = self.network.decode(self.network.encode(normal), normal[:, -1], STEPS)
        return self.network.project(states), self.network.denormalise(predictions)


def with_torch(network: WholeWindow, *, compiled: bool) -> Callable[[Features], object]:
    """PyTorch, eager or compiled, one thread."""
    torch.set_num_threads(1)
    run = torch.compile(network, dynamic=False) if compiled else network

    @torch.inference_mode()
    def recompute(windows: Features) -> object:
        return run(torch.from_numpy(windows))

    return recompute


def with_onnxruntime(
    network: WholeWindow, threads: int = 1, provider: str = "CPUExecutionProvider"
) -> Callable[[Features], list[Features]]:
    """ONNX Runtime on the graph that torch exports of the network as it is: a GRU for the window, cells behind it."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package is the older one
        example = torch.zeros(1, WINDOW, network.network.features)
        axes = {"windows": {0: "B"}}
        torch.onnx.export(
            network,
            (example,),
            file,  # type: ignore[arg-type]  # this exporter writes into buffers too
            dynamo=False,
            input_names=["windows"],
            dynamic_axes=axes,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=[provider])

    def recompute(windows: Features) -> list[Features]:
        answers: list[Features] = session.run(None, {"windows": windows})
        return answers

    return recompute
