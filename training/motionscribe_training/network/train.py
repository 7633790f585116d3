"""Trains the network to predict motion from sequences of features alone, without any labels.

In: sequences (m, F), raw features at the model's rate. Out: the network with the weights that predicted held-back
motion best, and the loss curve. Every batch is drawn from (seed, iteration) alone, so a run continued from a checkpoint
has the losses of one that was never broken off, and on a CPU two runs have identical weights.

It reads no recordings (dataset.py) and does not fit or export what a server needs (fit.py, export.py).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from tqdm import tqdm

from motionscribe_models.features import FeatureMap
from motionscribe_models.normalisation import mean_and_scale
from motionscribe_training.data.disturb import DECAY, SPEEDS, at_speed, disturb
from motionscribe_training.data.mirror import mirrored
from motionscribe_training.data.windows import Windows, hold_back
from motionscribe_training.errors import CheckpointError, DivergedError, TrainingError
from motionscribe_training.network.adversarial import Adversary
from motionscribe_training.network.checkpoint import load_checkpoint, save_checkpoint
from motionscribe_training.network.curve import Point, draw_curve
from motionscribe_training.network.seq2seq import HIDDEN, Seq2Seq

VALIDATION_WINDOWS = 512
"""At most: a validation then costs about as much as three iterations."""


@dataclass(frozen=True)
class TrainOptions:
    """What defines a run, besides its sequences."""

    iterations: int = 10_000
    """At most; published value."""
    batch_size: int = 64
    learning_rate: float = 1e-3
    """AdamW's, at its highest."""
    source_seq_len: int = 50
    """T, frames observed."""
    target_seq_len: int = 25
    """M, frames predicted."""
    hidden: int = HIDDEN
    """H, units of the cell."""
    seed: int = 0
    validate_every: int = 200
    """Iterations between two validations, checkpoints and points of the curve."""
    patience: int = 15
    """Validations in a row without a better one before the run stops."""
    adversarial: float = 0.0
    """Weight of the judges' doubt beside the prediction error; 0 trains without judges."""

    def __post_init__(self) -> None:
        for name in (
            "iterations",
            "batch_size",
            "source_seq_len",
            "target_seq_len",
            "hidden",
            "validate_every",
            "patience",
        ):
            if getattr(self, name) < 1:
                raise TrainingError(f"expected {name} of at least 1, got {getattr(self, name)}")
        if not (self.learning_rate > 0 and self.adversarial >= 0 and self.seed >= 0):
            raise TrainingError(
                "expected learning_rate above 0, adversarial and seed not below 0, "
                f"got {self.learning_rate}, {self.adversarial} and {self.seed}"
            )

    @property
    def length(self) -> int:
        """T + M, the frames of one training window."""
        return self.source_seq_len + self.target_seq_len


@dataclass(frozen=True)
class TrainResult:
    """A trained network, on the CPU, in evaluation mode."""

    network: Seq2Seq
    points: tuple[Point, ...]
    """One per validation."""
    iterations: int
    """Run in all, those before a resume included."""
    best_iteration: int
    """The weights are those after this many iterations."""
    validation: float
    """Mean squared error of the prediction, normalised units, on windows that were held back."""
    repeating: float
    """The same error of repeating the last observed frame: what a network must beat to have learnt motion."""


def learning_rate_at(iteration: int, options: TrainOptions) -> float:
    """Linear warm-up over the first twentieth, then a cosine down to a hundredth: a function of the iteration only."""
    warm = max(1, options.iterations // 20)
    if iteration < warm:
        return options.learning_rate * (iteration + 1) / warm
    progress = min(1.0, (iteration - warm) / max(1, options.iterations - warm))
    return options.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


@dataclass
class Progress:
    """How far a run has come; changes with every validation."""

    iteration: int = 0
    points: list[Point] = field(default_factory=list)
    best: float = math.inf
    best_iteration: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)


class Trainer:
    """One run: network, optimiser and data on one device, stepped from outside."""

    def __init__(
        self,
        sequences: Sequence[NDArray[np.float32]],
        options: TrainOptions,
        device: torch.device,
        feature_map: FeatureMap | None = None,
    ) -> None:
        self.options = options
        self.device = device
        self.progress = Progress()
        learn, held = hold_back(sequences, options.length, seed=options.seed)
        # parts of which nothing is known but their numbers are neither mirrored nor is anything in them a rate
        rates = feature_map.rates if feature_map else 0
        twins = [mirrored(part, feature_map) for part in learn] if feature_map else []
        shown = [*learn, *(twin for twin in twins if twin is not None)]
        paces = [at_speed(shown, speed, rates) for speed in SPEEDS]
        self.windows = [Windows(pace, options.length) for pace in paces if any(len(x) >= options.length for x in pace)]
        with torch.random.fork_rng(devices=[]):  # seeded weights, and nobody else's random numbers disturbed
            torch.manual_seed(options.seed)
            network = Seq2Seq(sequences[0].shape[1], options.hidden)
            self.adversary = (
                Adversary(network.features, options.learning_rate, device) if options.adversarial > 0 else None
            )
        normalise = feature_map.normalisation if feature_map else mean_and_scale
        mean, std = (x.astype(np.float32) for x in normalise(learn))
        network.mean.copy_(torch.from_numpy(mean))
        network.std.copy_(torch.from_numpy(std))
        self.network = network.to(device)
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=DECAY)
        self.held = self._split(Windows(held, options.length).spread(VALIDATION_WINDOWS))

    def step(self) -> float:
        """One iteration of AdamW on one batch; the prediction error before it, from disturbed observations."""
        options = self.options
        rng = np.random.default_rng((options.seed, self.progress.iteration))
        paces = np.bincount(rng.integers(len(self.windows), size=options.batch_size), minlength=len(self.windows))
        drawn = [windows.draw(rng, int(count)) for windows, count in zip(self.windows, paces, strict=True)]
        observed, future = self._split(np.concatenate(drawn))  # (B, T, F), (B, M, F)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.progress.iteration, options)
        encoded = self.network.encode(disturb(observed, rng))  # (B, H)
        _, predicted = self.network.decode(encoded, observed[:, -1], options.target_seq_len)  # (B, M, F)
        error = mse_loss(predicted, future)
        loss = error
        if self.adversary:
            self.adversary.learn(observed, future, predicted)
            loss = error + options.adversarial * self.adversary.doubt(observed, predicted)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.progress.iteration += 1
        return error.item()

    def validate(self, training: float) -> Point:
        """Error on the windows held back, remembered with the mean error `training` since the last time."""
        observed, future = self.held
        with torch.no_grad():
            encoded = self.network.encode(observed)  # (n, H)
            _, predicted = self.network.decode(encoded, observed[:, -1], self.options.target_seq_len)  # (n, M, F)
            point = Point(self.progress.iteration, training, mse_loss(predicted, future).item())
        if not math.isfinite(point.validation):
            raise DivergedError(
                f"training diverged before iteration {point.iteration}: use a smaller learning rate than "
                f"{self.options.learning_rate:g}"
            )
        progress = self.progress
        progress.points.append(point)
        if point.validation < progress.best:
            progress.best, progress.best_iteration = point.validation, point.iteration
            weights = self.network.state_dict()
            progress.best_weights = {name: value.detach().cpu().clone() for name, value in weights.items()}
        return point

    @property
    def finished(self) -> bool:
        """The iterations are used up, or patience is."""
        waited = self.progress.points[self._best_place() + 1 :]
        return self.progress.iteration >= self.options.iterations or len(waited) >= self.options.patience

    def result(self) -> TrainResult:
        """The best network so far. Needs one validation."""
        best = Seq2Seq(self.network.features, self.network.hidden)
        best.load_state_dict(self.progress.best_weights)
        observed, future = self.held
        repeating = mse_loss(observed[:, -1:].expand_as(future), future).item()
        progress = self.progress
        return TrainResult(
            best.eval(), tuple(progress.points), progress.iteration, progress.best_iteration, progress.best, repeating
        )

    def state(self) -> dict[str, Any]:
        """All that a run needs to go on as if it had never stopped, for save_checkpoint."""
        progress = self.progress
        return {
            "options": asdict(self.options),
            "features": self.network.features,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": self.adversary.state() if self.adversary else {},
            "iteration": progress.iteration,
            "points": [(p.iteration, p.training, p.validation) for p in progress.points],
            "best": progress.best,
            "best_iteration": progress.best_iteration,
            "best_weights": progress.best_weights,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of state. Raises CheckpointError for a network of another shape or kind of training."""
        saved = state["options"]
        expected = (self.network.features, self.options.hidden, self.adversary is not None)
        found = (state["features"], saved["hidden"], saved["adversarial"] > 0)
        if found != expected:
            raise CheckpointError(
                f"expected a checkpoint of (features, hidden, adversarial) {expected}, got {found}: "
                "the recordings, --hidden and --adversarial must be those of the run that wrote it"
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.adversary:
            self.adversary.load_state(state["adversary"])
        points = [Point(*point) for point in state["points"]]
        self.progress = Progress(
            state["iteration"], points, state["best"], state["best_iteration"], state["best_weights"]
        )

    def _best_place(self) -> int:
        return next((i for i, p in enumerate(self.progress.points) if p.iteration == self.progress.best_iteration), -1)

    def _split(self, windows: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        frames = self.network.normalise(torch.from_numpy(windows).to(self.device))  # (B, T + M, F)
        T = self.options.source_seq_len
        return frames[:, :T], frames[:, T:]  # (B, T, F), (B, M, F)


def train(
    sequences: Sequence[NDArray[np.float32]],
    options: TrainOptions,
    *,
    feature_map: FeatureMap | None = None,
    load: Path | None = None,
    checkpoint: Path | None = None,
    curve: Path | None = None,
    device: str | None = None,
    quiet: bool = False,
) -> TrainResult:
    """Trains on `sequences` (m, F) until validation stops improving or the iterations are done.

    `load` is a checkpoint to go on from; `checkpoint` and `curve` (a picture) are rewritten at every validation;
    `device` is CUDA where there is one and the CPU otherwise; `feature_map` tells what features mean, for their scale
    and for motion mirrored and at other speeds. Raises TrainingError for recordings too short, CheckpointError for a
    checkpoint of another network, DivergedError.
    """
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    trainer = Trainer(sequences, options, place, feature_map)
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
                if curve:
                    draw_curve(curve, trainer.progress.points)
    return trainer.result()
