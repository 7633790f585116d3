"""The training loop: it learns, it repeats itself, it can be interrupted and continued."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.support.small_training import CPU, SMALL, Sequences, same, weights

from motionscribe_models.recordings import read_recording
from motionscribe_training.data.dataset import make_dataset
from motionscribe_training.errors import DivergedError, TrainingError
from motionscribe_training.network.checkpoint import load_checkpoint, save_checkpoint
from motionscribe_training.network.options import Stop
from motionscribe_training.network.train import train
from motionscribe_training.network.trainer import Trainer

# --- learning


def test_it_learns_to_predict_what_it_has_not_seen(sequences: Sequences) -> None:
    result = train(sequences, replace(SMALL, iterations=400, hidden=24, validate_every=50), quiet=True)
    assert result.validation < 0.5 * result.repeating
    assert result.validation < 0.8 * result.points[0].validation
    assert not result.network.training


@pytest.mark.data
def test_it_learns_from_a_real_trial(data_dir: Path) -> None:
    dataset = make_dataset([read_recording(data_dir / "sub86" / "01.mat")], 30.0)
    options = replace(SMALL, iterations=300, hidden=48, source_seq_len=25, target_seq_len=10, validate_every=100)
    result = train(dataset.sequences, options, feature_map=dataset.feature_map, quiet=True)
    # half a minute of motion: enough to learn it, not to predict another half
    assert result.points[-1].training < 0.85 * result.points[0].training


def test_the_weights_kept_are_those_of_the_best_validation(sequences: Sequences) -> None:
    trainer = Trainer(sequences, SMALL, CPU)
    trainer.step()
    best = trainer.validate(0.0)
    kept = weights(trainer.network)
    with torch.no_grad():
        trainer.network.out.bias.add_(10.0)
    trainer.progress.iteration += 1
    assert trainer.validate(0.0).validation > best.validation
    result = trainer.result()
    assert same(weights(result.network), kept)
    assert (result.best_iteration, result.validation) == (1, best.validation)


def test_validation_stops_a_run_that_no_longer_improves(sequences: Sequences) -> None:
    trainer = Trainer(sequences, replace(SMALL, patience=3, iterations=1000), CPU)
    trainer.step()
    trainer.validate(0.0)
    with torch.no_grad():
        trainer.network.out.bias.add_(10.0)
    for _ in range(3):
        assert not trainer.finished
        trainer.progress.iteration += 1
        trainer.validate(0.0)
    assert trainer.finished


def test_a_run_may_stop_by_separation_instead(sequences: Sequences) -> None:
    options = replace(SMALL, stop="separation", patience=2, iterations=1000)
    trainer = Trainer(sequences, options, CPU)
    trainer.step()
    trainer.validate(0.0)
    for _ in range(2):
        assert not trainer.finished
        with torch.no_grad():  # the error falls or rises; states, and so their separation, stay
            trainer.network.out.bias.add_(0.01)
        trainer.progress.iteration += 1
        trainer.validate(0.0)
        trainer.progress.separations[-1] = trainer.progress.separations[0]
    assert trainer.finished
    trainer.progress.separations[-1] *= 1.03
    assert not trainer.finished
    assert not Trainer(sequences, SMALL, CPU).progress.separations, "not measured where nobody asks"


def test_a_run_that_diverges_says_so(sequences: Sequences) -> None:
    trainer = Trainer(sequences, SMALL, CPU)
    with torch.no_grad():
        trainer.network.out.bias.fill_(math.nan)
    trainer.step()
    with pytest.raises(DivergedError, match=r"before iteration 1: use a smaller learning rate than 0\.005"):
        trainer.validate(0.0)


# --- the same again


def test_two_runs_with_one_seed_have_identical_weights(sequences: Sequences) -> None:
    torch.manual_seed(1)
    one = train(sequences, SMALL, quiet=True)
    torch.manual_seed(2)  # nobody else's random numbers matter
    other = train(sequences, SMALL, quiet=True)
    assert same(weights(one.network), weights(other.network))
    assert one.points == other.points
    assert not same(weights(one.network), weights(train(sequences, replace(SMALL, seed=1), quiet=True).network))


def test_training_leaves_the_random_numbers_of_others_alone(sequences: Sequences) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    Trainer(sequences, replace(SMALL, adversarial=0.1), CPU)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("adversarial", "stop"), [(0.0, "error"), (0.1, "error"), (0.0, "separation")])
def test_a_run_continued_from_a_checkpoint_is_the_uninterrupted_one(
    sequences: Sequences, tmp_path: Path, adversarial: float, stop: Stop
) -> None:
    options = replace(SMALL, adversarial=adversarial, stop=stop)
    whole = Trainer(sequences, options, CPU)
    losses = [whole.step() for _ in range(20)]
    whole.validate(0.5)
    save_checkpoint(tmp_path / "checkpoint.pt", whole.state())
    losses += [whole.step() for _ in range(20)]
    whole.validate(0.25)

    resumed = Trainer(sequences, options, CPU)
    resumed.load_state(load_checkpoint(tmp_path / "checkpoint.pt"))
    assert [resumed.step() for _ in range(20)] == losses[20:]
    resumed.validate(0.25)
    assert resumed.progress.points == whole.progress.points
    assert resumed.progress.separations == whole.progress.separations
    assert len(resumed.progress.separations) == (2 if stop == "separation" else 0)
    assert same(weights(resumed.result().network), weights(whole.result().network))


def test_load_goes_on_where_the_file_was_written(sequences: Sequences, tmp_path: Path) -> None:
    whole = train(sequences, SMALL, checkpoint=tmp_path / "a.pt", curve=tmp_path / "deep" / "loss.png", quiet=True)
    assert (tmp_path / "deep" / "loss.png").read_bytes().startswith(b"\x89PNG")
    # a finished run has nothing left to do: same result, no iteration more
    again = train(sequences, SMALL, load=tmp_path / "a.pt", quiet=True)
    assert again.points == whole.points
    longer = train(sequences, replace(SMALL, iterations=60), load=tmp_path / "a.pt", quiet=True)
    assert longer.points[:4] == whole.points
    assert [p.iteration for p in longer.points] == [10, 20, 30, 40, 50, 60]


def test_recordings_too_short_are_refused(sequences: Sequences) -> None:
    with pytest.raises(TrainingError, match="windows of 18 frames, got 1 of at most 100 frames"):
        train([sequences[0][:100]], SMALL, quiet=True)
