"""Stages of a training: what an untrained network of the same shape has too; the rank correlation; kept networks."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.support.made_up_watched import watched_of
from tests.support.small_training import CPU, SMALL

from motionscribe_models.arrays import Array
from motionscribe_training.errors import CheckpointError, TrainingError
from motionscribe_training.explaining.checkpoints import kept, read_checkpoints
from motionscribe_training.explaining.network import untrained
from motionscribe_training.explaining.trained import (
    rank_correlation,
    separation_against_quality,
    stage_of,
    stages,
)
from motionscribe_training.explaining.trained_picture import trained_figure
from motionscribe_training.network.checkpoint import save_checkpoint
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.train import train
from motionscribe_training.network.trainer import Trainer

OPTIONS = replace(SMALL, iterations=40, hidden=12, validate_every=10)


def test_stages_follow_the_training_and_an_untrained_network_has_none(tmp_path: Path) -> None:
    watched = [watched_of(seed, actions=("walk", "run", "walk", "jump", "run", "jump")) for seed in (0, 1)]
    sequences = [part.features for part in watched]
    (run,), (network,) = separation_against_quality(sequences, watched, OPTIONS, (5,))
    assert [stage.point.iteration for stage in run if stage.point] == [10, 20, 30, 40]
    assert run[-1].error < run[0].error
    assert stage_of(network, watched, OPTIONS.target_seq_len).error == run[-1].error
    assert run[0].stability is None
    assert all(stage.stability is not None and stage.stability <= 1 for stage in run[1:])
    keep = tmp_path / "kept"
    train(sequences, replace(OPTIONS, seed=5), keep=keep, quiet=True)
    networks = read_checkpoints(keep)
    assert stages(networks, watched, OPTIONS.target_seq_len) == run
    fresh = stage_of(untrained(networks[0].network, 1), watched, OPTIONS.target_seq_len)
    assert fresh.point is None
    assert fresh.error > run[-1].error
    with pytest.raises(ValueError, match="got one of an untrained network"):
        trained_figure([[fresh]])
    figure = trained_figure([run], [fresh])
    assert [axes.get_title(loc="left") for axes in figure.axes][:2] == ["Prediction error", "Separation"]


def test_the_error_is_that_of_frames_that_came() -> None:
    """Against a slow twin: each moment is encoded from the first frame on, and decoded alone."""
    part = watched_of(0, actions=("walk", "run"))
    network = Seq2Seq(6, 12).eval()
    network.std.fill_(2.0)
    with torch.no_grad():
        network.out.bias.add_(0.1)
    errors = []
    for end in range(part.stride, len(part.features) - OPTIONS.target_seq_len + 1, part.stride):
        normal = network.normalise(torch.from_numpy(part.features[:end]))[None]
        with torch.no_grad():
            _, predicted = network.decode(network.encode(normal), normal[:, -1], OPTIONS.target_seq_len)
        came = network.normalise(torch.from_numpy(part.features[end : end + OPTIONS.target_seq_len]))
        errors.append(float((predicted[0] - came).square().mean()))
    assert stage_of(network, [part], OPTIONS.target_seq_len).error == pytest.approx(np.mean(errors), rel=1e-4)


def pearson_of_ranks(one: Array, other: Array) -> float:
    x, y = np.argsort(np.argsort(one)), np.argsort(np.argsort(other))
    return float(((x - x.mean()) * (y - y.mean())).mean() / (x.std() * y.std()))


@given(seed=st.integers(0, 2**32 - 1))
def test_rank_correlation_is_pearson_of_ranks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one: Array = rng.permutation(24).reshape(2, 12).astype(np.float64)
    other: Array = rng.normal(size=(2, 12))
    found = rank_correlation(one.tolist(), other.tolist())
    assert found.rho == pytest.approx(pearson_of_ranks(one.ravel(), other.ravel()))
    assert found.within == pytest.approx([pearson_of_ranks(x, y) for x, y in zip(one, other, strict=True)])
    assert 0 <= found.p <= 1


def test_what_never_changes_has_no_rank() -> None:
    assert math.isnan(rank_correlation([[1.0, 2.0, 3.0]], [[1.0, 1.0, 1.0]]).rho)
    with pytest.raises(ValueError, match="3 or more, got 2 and 2"):
        rank_correlation([[1.0, 2.0]], [[1.0, 1.0]])


# --- kept networks


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    sequences = [watched_of(0, actions=("walk",) * 6).features]
    keep = tmp_path / "kept"
    train(sequences, replace(OPTIONS, iterations=10), keep=keep, checkpoint=tmp_path / "a.pt", quiet=True)
    with pytest.raises(TrainingError, match="expected no checkpoints of another run"):
        train(sequences, OPTIONS, keep=keep, quiet=True)
    train(sequences, OPTIONS, keep=keep, load=tmp_path / "a.pt", quiet=True)
    assert [one.point.iteration for one in read_checkpoints(keep)] == [10, 20, 30, 40]
    with pytest.raises(CheckpointError, match="the network of one validation alone"):
        train(sequences, OPTIONS, load=next(keep.glob("*.pt")), quiet=True)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="with --keep-checkpoints, found none"):
        read_checkpoints(tmp_path)
    save_checkpoint(tmp_path / "1.pt", {"features": 3})
    with pytest.raises(CheckpointError, match=r"1\.pt: expected a network of --keep-checkpoints"):
        read_checkpoints(tmp_path)


def test_a_kept_network_does_not_learn_on() -> None:
    trainer = Trainer([watched_of(0, actions=("walk",) * 6).features], OPTIONS, CPU)
    trainer.step()
    trainer.validate(0.0)
    one = kept(trainer.network_state())
    before = one.network.weight_hh.clone()
    trainer.step()
    assert torch.equal(one.network.weight_hh, before)
    assert not torch.equal(trainer.network.weight_hh, before)
