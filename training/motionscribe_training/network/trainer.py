"""One training run, stepped from outside: network, optimiser, batches, validation and what a checkpoint must hold.

In: sequences (m, F), raw features at the model's rate, and TrainOptions. Out: TrainResult, the network with the weights
that predicted held-back motion best. Every batch depends on (seed, iteration) alone: a run continued from a checkpoint
has the losses of an uninterrupted one, and on a CPU two runs have identical weights. It reads and writes no files;
train.py has the loop.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from motionscribe_models.features import FeatureMap
from motionscribe_models.normalisation import mean_and_scale
from motionscribe_training.data.disturb import DECAY, SPEEDS, at_speed, disturb
from motionscribe_training.data.mirror import mirrored
from motionscribe_training.data.windows import Windows, hold_back
from motionscribe_training.errors import CheckpointError, DivergedError
from motionscribe_training.network.adversarial import Adversary
from motionscribe_training.network.curve import Point
from motionscribe_training.network.options import TrainOptions, learning_rate_at
from motionscribe_training.network.separation import unlabelled, without_rise
from motionscribe_training.network.seq2seq import Seq2Seq

VALIDATION_WINDOWS = 512
"""At most: a validation then costs about as much as three iterations."""


@dataclass(frozen=True)
class TrainResult:
    """A trained network, on the CPU, in evaluation mode."""

    network: Seq2Seq
    points: tuple[Point, ...]
    """One per validation."""
    iterations: int
    """Iterations in all, including those before a resume."""
    best_iteration: int
    """Number of iterations after which the weights were kept."""
    validation: float
    """Mean squared error of the prediction, normalised units, on windows that were held back."""
    repeating: float
    """The same error when the last observed frame is repeated; a network that learnt motion is below it."""


@dataclass
class Progress:
    """State of a run between two validations."""

    iteration: int = 0
    points: list[Point] = field(default_factory=list)
    separations: list[float] = field(default_factory=list)
    """Fisher ratio at each validation; none where the run does not stop by it."""
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
        # without a feature map, features are numbers without a meaning: none is mirrored, none counts as a rate
        rates = feature_map.rates if feature_map else 0
        twins = [mirrored(part, feature_map) for part in learn] if feature_map else []
        shown = [*learn, *(twin for twin in twins if twin is not None)]
        paces = [at_speed(shown, speed, rates) for speed in SPEEDS]
        self.windows = [Windows(pace, options.length) for pace in paces if any(len(x) >= options.length for x in pace)]
        with torch.random.fork_rng(devices=[]):  # seeded weights that leave torch's global generator alone
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
        """One iteration of AdamW on one batch; returns the prediction error before it, from disturbed observations."""
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
            loss = error + options.adversarial * self.adversary.generator_loss(observed, predicted)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.progress.iteration += 1
        return error.item()

    def validate(self, training: float) -> Point:
        """Measures the error on the held-back windows; `training` is the mean training error since the last call."""
        observed, future = self.held
        with torch.no_grad():
            encoded = self.network.encode(observed)  # (n, H)
            states, predicted = self.network.decode(encoded, observed[:, -1], self.options.target_seq_len)  # (n, M, .)
            point = Point(self.progress.iteration, training, mse_loss(predicted, future).item())
        if not math.isfinite(point.validation):
            raise DivergedError(
                f"training diverged before iteration {point.iteration}: use a smaller learning rate than "
                f"{self.options.learning_rate:g}"
            )
        progress = self.progress
        progress.points.append(point)
        if self.options.stop == "separation":
            progress.separations.append(unlabelled(states.mean(1).cpu().numpy()).fisher)  # (n, H)
        if point.validation < progress.best:
            progress.best, progress.best_iteration = point.validation, point.iteration
            weights = self.network.state_dict()
            progress.best_weights = {name: value.detach().cpu().clone() for name, value in weights.items()}
        return point

    @property
    def finished(self) -> bool:
        """Whether the iterations or the patience are used up."""
        progress = self.progress
        if self.options.stop == "separation":
            waited = without_rise(progress.separations)
        else:
            waited = len(progress.points[self._best_place() + 1 :])
        return progress.iteration >= self.options.iterations or waited >= self.options.patience

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
        """What save_checkpoint must hold so that a run continues as if it had never stopped."""
        progress = self.progress
        return {
            "options": asdict(self.options),
            "features": self.network.features,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": self.adversary.state() if self.adversary else {},
            "iteration": progress.iteration,
            "points": [(p.iteration, p.training, p.validation) for p in progress.points],
            "separations": progress.separations,
            "best": progress.best,
            "best_iteration": progress.best_iteration,
            "best_weights": progress.best_weights,
        }

    def network_state(self) -> dict[str, Any]:
        """What explaining/checkpoints.py reads of one validation: the network alone, which no run can go on from."""
        point = self.progress.points[-1]
        return {
            "features": self.network.features,
            "hidden": self.network.hidden,
            "network": self.network.state_dict(),
            "point": (point.iteration, point.training, point.validation),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of state. Raises CheckpointError for a network of another shape or kind of training."""
        if "optimizer" not in state:
            raise CheckpointError("expected a checkpoint to continue from, got the network of one validation alone")
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
        self.progress = Progress(
            iteration=state["iteration"],
            points=[Point(*point) for point in state["points"]],
            separations=list(state.get("separations", [])),  # a checkpoint of an earlier release has none
            best=state["best"],
            best_iteration=state["best_iteration"],
            best_weights=state["best_weights"],
        )

    def _best_place(self) -> int:
        return next((i for i, p in enumerate(self.progress.points) if p.iteration == self.progress.best_iteration), -1)

    def _split(self, windows: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        frames = self.network.normalise(torch.from_numpy(windows).to(self.device))  # (B, T + M, F)
        T = self.options.source_seq_len
        return frames[:, :T], frames[:, T:]  # (B, T, F), (B, M, F)
