"""The networks that a training run kept on its way (`run --keep-checkpoints`), to see how its states came apart.

In: the folder `checkpoints` of a run's log. Out: Kept, one for each validation, in order. They hold weights alone and
are no checkpoints to continue from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motionscribe_training.errors import CheckpointError
from motionscribe_training.network.checkpoint import load_checkpoint
from motionscribe_training.network.curve import Point
from motionscribe_training.network.seq2seq import Seq2Seq


@dataclass(frozen=True, eq=False)
class Kept:
    """The network of one validation, on the CPU, in evaluation mode."""

    point: Point
    network: Seq2Seq


def read_checkpoints(folder: Path) -> list[Kept]:
    """In order of training. Raises CheckpointError for a folder without any, and for other files in it."""
    paths = sorted(folder.glob("*.pt"))
    if not paths:
        raise CheckpointError(f"{folder}: expected networks of a run with --keep-checkpoints, found none")
    found = []
    for path in paths:
        try:
            found.append(kept(load_checkpoint(path)))
        except (KeyError, RuntimeError, TypeError) as error:  # torch: tensors of another shape
            raise CheckpointError(f"{path}: expected a network of --keep-checkpoints, got {error}") from error
    return sorted(found, key=lambda one: one.point.iteration)


def kept(state: Mapping[str, Any]) -> Kept:
    """The inverse of Trainer.network_state; the weights are copied, so that training may go on."""
    network = Seq2Seq(state["features"], state["hidden"])
    network.load_state_dict(state["network"])
    return Kept(Point(*state["point"]), network.eval())
