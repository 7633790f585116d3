"""Trains the network to predict motion from sequences of features alone, without any labels.

In: sequences (m, F), raw features at the model's rate. Out: the trained network (TrainResult), and on the way a
checkpoint, a picture of the loss curve and, where wanted, the network of each validation. It reads no recordings
(dataset.py) and does not fit or export what a server needs (fit.py, export.py).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from motionscribe_models.features import FeatureMap
from motionscribe_training.errors import TrainingError
from motionscribe_training.network.checkpoint import load_checkpoint, save_checkpoint
from motionscribe_training.network.curve import draw_curve
from motionscribe_training.network.options import TrainOptions
from motionscribe_training.network.trainer import Trainer, TrainResult


def train(
    sequences: Sequence[NDArray[np.float32]],
    options: TrainOptions,
    *,
    feature_map: FeatureMap | None = None,
    load: Path | None = None,
    checkpoint: Path | None = None,
    curve: Path | None = None,
    keep: Path | None = None,
    quiet: bool = False,
) -> TrainResult:
    """Trains on `sequences` (m, F) until what `options.stop` says stops improving or the iterations are used up.

    `load` is a checkpoint to continue from; `checkpoint` and `curve` (a picture) are rewritten at every validation;
    `keep` is a folder that gets the network of each (explaining/checkpoints.py reads it); `feature_map` says what the
    features mean: it decides their scale and how motion is mirrored and played at other speeds. It runs on CUDA where
    there is a GPU, on the CPU otherwise. Raises TrainingError for recordings that are too short and for a folder
    `keep` with networks of another run, CheckpointError for a checkpoint of another network, DivergedError.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if keep and not load and any(keep.glob("*.pt")):
        raise TrainingError(f"{keep}: expected no checkpoints of another run, found some; remove them or --load one")
    trainer = Trainer(sequences, options, device, feature_map)
    if load:
        trainer.load_state(load_checkpoint(load))
    errors: list[float] = []
    with tqdm(
        total=options.iterations, initial=trainer.progress.iteration, disable=quiet, unit="it", mininterval=0.5
    ) as bar:
        while not trainer.finished:
            errors.append(trainer.step())
            bar.update()
            last = trainer.progress.iteration == options.iterations
            if trainer.progress.iteration % options.validate_every == 0 or last:
                point = trainer.validate(sum(errors) / len(errors))
                errors.clear()
                bar.set_postfix(training=f"{point.training:.4f}", validation=f"{point.validation:.4f}")
                if checkpoint:
                    save_checkpoint(checkpoint, trainer.state())
                if keep:
                    save_checkpoint(keep / f"{point.iteration:07d}.pt", trainer.network_state())
                if curve:
                    draw_curve(curve, trainer.progress.points)
    return trainer.result()
