"""Checkpoints: foreign and damaged files are refused and run no code, and an old one survives a failed write."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.support.small_training import SMALL, Sequences

from motionscribe_training.errors import CheckpointError
from motionscribe_training.network.checkpoint import load_checkpoint, save_checkpoint
from motionscribe_training.network.train import train


def test_foreign_files_are_no_checkpoints(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "owned",))

    path = tmp_path / "checkpoint.pt"
    for content in (b"", b"not a checkpoint", pickle.dumps(Evil())):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"checkpoint\.pt: not a checkpoint"):
            load_checkpoint(path)
    torch.save({"weights": Evil()}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load_checkpoint(path)
    assert not (tmp_path / "owned").exists()
    torch.save({"format": 99}, path)
    with pytest.raises(CheckpointError, match="expected checkpoint format 2, got 99"):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match="found none"):
        load_checkpoint(tmp_path / "nowhere.pt")


def test_a_cut_off_checkpoint_is_refused_and_an_old_one_survives_a_failed_write(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"iteration": 3})
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        save_checkpoint(path, {"iteration": lambda: 4})
    assert load_checkpoint(path)["iteration"] == 3
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match="or damaged"):
        load_checkpoint(path)


def test_a_checkpoint_of_another_network_is_refused(sequences: Sequences, tmp_path: Path) -> None:
    train(sequences, SMALL, checkpoint=tmp_path / "a.pt", quiet=True)
    for options in (replace(SMALL, hidden=13), replace(SMALL, adversarial=0.1)):
        with pytest.raises(CheckpointError, match=r"expected a checkpoint of .* got \(4, 12, False\)"):
            train(sequences, options, load=tmp_path / "a.pt", quiet=True)
    with pytest.raises(CheckpointError, match=r"\(3, 12, False\), got \(4, 12, False\)"):
        train([s[:, :3] for s in sequences], SMALL, load=tmp_path / "a.pt", quiet=True)
