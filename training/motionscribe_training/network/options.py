"""The options of a training run and the learning rate that follows from them, without sequences and devices."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from motionscribe_training.errors import TrainingError
from motionscribe_training.network.seq2seq import HIDDEN

Stop = Literal["error", "separation"]
"""What must improve so that a run goes on."""


@dataclass(frozen=True)
class TrainOptions:
    """Everything that defines a run except its sequences."""

    iterations: int = 10_000
    """At most; the published value."""
    batch_size: int = 64
    learning_rate: float = 1e-3
    """Highest learning rate of AdamW."""
    source_seq_len: int = 50
    """T, frames observed."""
    target_seq_len: int = 25
    """M, frames predicted."""
    hidden: int = HIDDEN
    """H, units of the cell."""
    seed: int = 0
    validate_every: int = 200
    """Iterations between two validations; each also writes a checkpoint and a point of the curve."""
    patience: int = 15
    """The run stops after this many validations in a row without improvement."""
    stop: Stop = "error"
    """Improvement of what: the validation error, or the separation of decoder states in groups of k-means, their
    Fisher ratio, which must rise by RISE (network/separation.py). Weights are kept by the error either way."""
    adversarial: float = 0.0
    """Weight of the generator loss beside the prediction error; 0 trains without discriminators."""

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
        if self.stop not in get_args(Stop):
            raise TrainingError(f"expected stop to be one of {', '.join(get_args(Stop))}, got {self.stop!r}")
        if not (self.learning_rate > 0 and self.adversarial >= 0 and self.seed >= 0):
            raise TrainingError(
                "expected learning_rate above 0, adversarial and seed not below 0, "
                f"got {self.learning_rate}, {self.adversarial} and {self.seed}"
            )

    @property
    def length(self) -> int:
        """T + M, the frames of one training window."""
        return self.source_seq_len + self.target_seq_len


def learning_rate_at(iteration: int, options: TrainOptions) -> float:
    """The rate of an iteration: linear warm-up over the first twentieth, then a cosine down to a hundredth."""
    warm = max(1, options.iterations // 20)
    if iteration < warm:
        return options.learning_rate * (iteration + 1) / warm
    progress = min(1.0, (iteration - warm) / max(1, options.iterations - warm))
    return options.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
