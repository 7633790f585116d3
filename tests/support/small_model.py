"""A small network on real motion and the draft of its manifest, for tests of the model folder and of inference."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.manifest import FORMAT, Manifest
from motionscribe_models.repository import ModelBundle, read_bundle
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_training.exporting.export import export
from motionscribe_training.network.seq2seq import Seq2Seq

Array = NDArray[np.float64]

T, STRIDE, M, H, P = 40, 8, 6, 48, 8
RATE = 30.0


def real_features(data_dir: Path, name: str) -> NDArray[np.float32]:
    """The columns of a recording of 120 Hz that move, as features (n, F) at 30 Hz; F is the same for all names."""
    frames = np.loadtxt(data_dir / "cmu8" / f"{name}.txt", delimiter=",", dtype=np.float32)[:, 6:66]
    times = np.round(np.arange(len(frames)) * 1e6 / 120).astype(np.int64)
    skeleton = feature_skeleton("columns", tuple(f"c{i}" for i in range(frames.shape[1])), 120.0)
    feature_map = FeatureMap(skeleton, tuple(range(frames.shape[1])))
    return recording_features(feature_map, frames, times, RATE)


def made_up_features(frames: int, columns: int = 60) -> NDArray[np.float32]:
    """Smooth motion (n, F) where no recording is needed: sums of a few sines."""
    rng = np.random.default_rng(5)
    rates, phases = rng.uniform(0.2, 3.0, (4, columns)), rng.uniform(0, 6, (4, columns))
    times = np.arange(frames)[:, None, None] / RATE
    motion: NDArray[np.float64] = np.sin(2 * np.pi * rates * times + phases).sum(1)
    return motion.astype(np.float32)


def small_network(features: NDArray[np.float32], seed: int = 0) -> Seq2Seq:
    """Seeded weights large enough to drive the gates as training does, normalisation and PCA of `features` (n, F)."""
    torch.manual_seed(seed)
    network = Seq2Seq(features.shape[1], H)
    network.out.reset_parameters()  # it begins with zeros
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2.0)
        network.mean.copy_(torch.from_numpy(features.mean(0)))
        network.std.copy_(torch.from_numpy(features.std(0).clip(1e-3)))
        windows = torch.from_numpy(some_windows(features, 32))
        normal = network.normalise(windows)
        states, _ = network.decode(network.encode(normal), normal[:, -1], M)
        flat = states.reshape(-1, H)
        network.pca_mean.copy_(flat.mean(0))
        network.pca_components = torch.linalg.svd(flat - flat.mean(0), full_matrices=False).Vh[:P].contiguous()
    return network


def some_windows(features: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """(count, T, F), evenly spread over `features`."""
    starts = np.linspace(0, len(features) - T, count).astype(int)
    return np.stack([features[s : s + T] for s in starts])


def exported(folder: Path, features: NDArray[np.float32], seed: int = 0, form: int = FORMAT) -> ModelBundle:
    """`small_network` through export in format `form`, as a server loads it."""
    network, windows = small_network(features, seed), some_windows(features, 3)
    drafted = replace(draft(features.shape[1]), format=form)
    export(network, folder=folder, draft=drafted, arrays={"centres": np.eye(3)}, windows=windows)
    return read_bundle(folder)


def recompute(network: Seq2Seq, window: NDArray[np.floating], steps: int = M) -> dict[str, Array]:
    """The slow obvious twin of the exported graphs: one window (t, F), gate by gate, in float64, nothing folded."""
    p = {name: value.detach().double().numpy() for name, value in network.state_dict().items()}
    W, R, b, c = (p[f"gru.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    H = R.shape[1]

    def cell(x: Array, h: Array) -> Array:
        r = 1 / (1 + np.exp(-(W[:H] @ x + b[:H] + R[:H] @ h + c[:H])))
        z = 1 / (1 + np.exp(-(W[H : 2 * H] @ x + b[H : 2 * H] + R[H : 2 * H] @ h + c[H : 2 * H])))
        n = np.tanh(W[2 * H :] @ x + b[2 * H :] + r * (R[2 * H :] @ h + c[2 * H :]))
        new: Array = (1 - z) * n + z * h
        return new

    h = np.zeros(H)
    for frame in window:
        h = cell((frame - p["mean"]) / p["std"], h)
    last = (window[-1] - p["mean"]) / p["std"]
    states, outputs = [h], [last + p["out.weight"] @ h + p["out.bias"]]
    for _ in range(steps - 1):
        states.append(cell(outputs[-1], states[-1]))
        outputs.append(outputs[-1] + p["out.weight"] @ states[-1] + p["out.bias"])
    centred = np.array(states) - p["pca_mean"]
    projected = centred @ p["pca_components"].T
    return {
        "projected": projected,
        "residual": np.linalg.norm(centred - projected @ p["pca_components"], axis=1),
        "prediction": np.array(outputs) * p["std"] + p["mean"],
    }


def draft(columns: int, name: str = "small", version: str = "1") -> Manifest:
    """The manifest of `small_network` before export."""
    return Manifest(
        name=name,
        version=version,
        created=date(2026, 1, 1).isoformat(),
        description="a network of a test",
        skeleton=feature_skeleton("columns", tuple(f"c{i}" for i in range(columns)), 120.0),
        feature_joints=tuple(range(columns)),
        rate_hz=RATE,
        window=T,
        stride=STRIDE,
        decoder_steps=M,
        features=columns,
        hidden=H,
        projected=P,
        latency={"fast": 1, "balanced": 4, "stable": 12},
        metrics={},
        settings={"penalty": 3.0},
        training={"seed": 0, "data": ["cmu8"]},
    )
