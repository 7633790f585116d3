"""The file from which a training run can be continued: tensors and plain values only, written atomically.

It is loaded with `weights_only=True`, so a foreign file cannot run code. It is not a model: a server loads the folder
that export.py writes.
"""

import os
from pathlib import Path
from typing import Any

import torch

from motionscribe_training.errors import CheckpointError

FORMAT = 2


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes `state` to `path`; the old file stays until the new one is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        torch.save({"format": FORMAT, **state}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The state that was saved, its tensors on the CPU. Raises CheckpointError for anything else."""
    if not path.is_file():
        raise CheckpointError(f"{path}: expected a checkpoint file of motionscribe-train, found none")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises pickle, zip, key, end-of-file and runtime errors for damaged files
        raise CheckpointError(f"{path}: not a checkpoint of motionscribe-train, or damaged ({error})") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, dict) else type(state).__name__
        raise CheckpointError(f"{path}: expected checkpoint format {FORMAT}, got {found}")
    return state
