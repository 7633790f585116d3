"""Writes a trained and fitted network as a model folder, verified by the runtime that will serve it.

In: the Seq2Seq, a draft manifest, the arrays of fit.py, and some real windows (R, L, F) of raw features. Out: a folder
with graphs of two precisions, arrays.npz, reference.npz and manifest.json, the same bytes for the same network. Parity
is measured through the server's own Inference, frame by frame; a failed export leaves no folder. Nothing is learnt
here.
"""

import contextlib
import copy
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motionscribe_models.errors import ModelFolderError
from motionscribe_models.manifest import ARRAYS, MAX_TOLERANCE, REFERENCE, Manifest, Variant, write_manifest
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_training.errors import TrainingError
from motionscribe_training.exporting.graph import Weights, decoder_graph, encoder_graph
from motionscribe_training.network.seq2seq import Seq2Seq

PARITY = 1e-5
"""Largest relative error of fp32. Rounding makes about 1e-6; the smallest mistake in the cell, a reset gate before the
recurrent MatMul, 4e-2."""
HEADROOM = 3.0
"""Ratio of a server's tolerance to the error measured here: other processors round in another order."""


class ExportError(TrainingError):
    """The network does not fit its draft manifest, or its graphs do not compute what it computes."""


def export(
    network: Seq2Seq,
    *,
    folder: Path,
    draft: Manifest,
    arrays: Mapping[str, NDArray[Any]],
    windows: NDArray[np.float32],
) -> Manifest:
    """Writes the model folder and returns its manifest: the draft with variants, errors and digests.

    `windows` (R, L, F), raw features of real motion and as long as Manifest.fits_reference wants them, become the
    reference that every server replays. The int8 variant is left out where its error exceeds MAX_TOLERANCE. Raises
    ExportError, and then leaves no folder.
    """
    if folder.exists():
        raise ExportError(f"{folder}: expected a new folder, since a version never changes once it is out")
    weights = weights_of(network)
    got = (weights.features, weights.hidden, weights.projected)
    if got != (draft.features, draft.hidden, draft.projected):
        raise ExportError(f"expected F, H, P = {(draft.features, draft.hidden, draft.projected)} as drafted, got {got}")
    if not draft.fits_reference(windows.shape):
        raise ExportError(f"expected windows such as (R, {draft.window}, {draft.features}), got {windows.shape}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as scratch:
        partial = Path(scratch) / "model"
        partial.mkdir()
        np.savez_compressed(partial / ARRAYS, allow_pickle=False, **dict(arrays))
        np.savez_compressed(
            partial / REFERENCE, allow_pickle=False, **reference_of(network, windows, draft.decoder_steps)
        )
        fp32 = _write_variant(partial, draft, weights, int8=False)
        if fp32.error > PARITY:
            raise ExportError(f"expected fp32 graphs within {PARITY:.0e} of torch, got {fp32.error:.1e}")
        draft = replace(draft, variants={"fp32": fp32})
        with contextlib.suppress(ExportError):  # int8 is optional
            int8 = _write_variant(partial, draft, weights, int8=True)
            draft = replace(draft, variants={"fp32": fp32, "int8": int8})
        manifest = write_manifest(partial, draft)
        partial.rename(folder)
    return manifest


def weights_of(network: Seq2Seq) -> Weights:
    """The network's parameters and buffers in float64."""
    return Weights(**{name: part.detach().cpu().double().numpy() for name, part in parts_of(network).items()})


def parts_of(network: Seq2Seq) -> dict[str, Tensor]:
    """The network's own parameters and buffers, by their names in Weights."""
    return {
        "weight_ih": network.weight_ih,
        "weight_hh": network.weight_hh,
        "bias_ih": network.bias_ih,
        "bias_hh": network.bias_hh,
        "out_weight": network.out.weight,
        "out_bias": network.out.bias,
        "mean": network.mean,
        "std": network.std,
        "pca_mean": network.pca_mean,
        "pca_components": network.pca_components,
    }


@torch.no_grad()
def reference_of(network: Seq2Seq, windows: NDArray[np.float32], steps: int) -> dict[str, NDArray[np.float32]]:
    """The network's outputs for windows (R, L, F), computed by torch in float64: the arrays of reference.npz."""
    exact = copy.deepcopy(network).cpu().double().eval()
    normal = exact.normalise(torch.from_numpy(windows).double())  # (R, T, F)
    states, predictions = exact.decode(exact.encode(normal), normal[:, -1], steps)  # (R, M, H), (R, M, F)
    projected = exact.project(states)  # (R, M, P)
    left = states - exact.pca_mean - projected @ exact.pca_components  # (R, M, H)
    answers = {
        "projected": projected,
        "residual": left.norm(dim=-1),  # (R, M)
        "prediction": exact.denormalise(predictions),  # (R, M, F)
    }
    return {"windows": windows} | {name: answer.numpy().astype(np.float32) for name, answer in answers.items()}


def _write_variant(folder: Path, draft: Manifest, weights: Weights, *, int8: bool) -> Variant:
    """Writes two graphs to `folder` and measures their error as a server does. Raises ExportError for a large one."""
    name: Literal["fp32", "int8"] = "int8" if int8 else "fp32"
    suffix = ".int8" if int8 else ""
    encoder, decoder = f"encoder{suffix}.onnx", f"decoder{suffix}.onnx"
    (folder / encoder).write_bytes(encoder_graph(weights, draft.slots, int8=int8))
    (folder / decoder).write_bytes(decoder_graph(weights, draft.decoder_steps, int8=int8))
    try:
        unmeasured = Variant(encoder, decoder, 0.0, MAX_TOLERANCE)
        write_manifest(folder, replace(draft, variants={**draft.variants, name: unmeasured}))
        error = Inference(read_bundle(folder), name).error
        # two digits: the last ones differ between processors, and the file should not
        return Variant(encoder, decoder, float(f"{error:.1e}"), float(f"{HEADROOM * max(error, PARITY):.1e}"))
    except ModelFolderError as refusal:
        (folder / encoder).unlink()
        (folder / decoder).unlink()
        raise ExportError(f"{name}: the graphs do not repeat the network: {refusal}") from refusal
