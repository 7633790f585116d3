"""The training loop: it learns, it repeats itself, it can be broken off; judges and network keep to themselves."""

import math
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from motionscribe_models.recordings import read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_training.__main__ import main
from motionscribe_training.data.dataset import make_dataset
from motionscribe_training.errors import CheckpointError, DivergedError, TrainingError
from motionscribe_training.network.adversarial import Adversary
from motionscribe_training.network.checkpoint import load_checkpoint, save_checkpoint
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.train import Trainer, TrainOptions, learning_rate_at, train

SMALL = TrainOptions(
    iterations=40, batch_size=8, source_seq_len=12, target_seq_len=6, hidden=12, validate_every=10, learning_rate=5e-3
)
CPU = torch.device("cpu")
Sequences = list[NDArray[np.float32]]


@pytest.fixture(scope="module")
def sequences() -> Sequences:
    """Two oscillations of different speed and size, in four features, with a little noise."""
    rng = np.random.default_rng(0)
    made = []
    for speed in (0.2, 0.31):
        phase = speed * np.arange(600)
        waves = np.stack([np.sin(phase), np.cos(phase), 3 * np.sin(2 * phase) + 5, 0.2 * np.cos(3 * phase)], axis=1)
        made.append((waves + 0.01 * rng.normal(size=waves.shape)).astype(np.float32))
    return made


def weights(network: Seq2Seq) -> list[NDArray[np.float32]]:
    return [p.detach().numpy().copy() for p in network.parameters()]


def same(one: list[NDArray[np.float32]], other: list[NDArray[np.float32]]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


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


def test_a_run_that_diverges_says_so(sequences: Sequences) -> None:
    trainer = Trainer(sequences, SMALL, CPU)
    with torch.no_grad():
        trainer.network.out.bias.fill_(math.nan)
    trainer.step()
    with pytest.raises(DivergedError, match=r"before iteration 1: use a smaller learning rate than 0\.005"):
        trainer.validate(0.0)


def test_the_rate_warms_up_and_anneals() -> None:
    rates = [learning_rate_at(i, SMALL) for i in range(SMALL.iterations)]
    peak = int(np.argmax(rates))
    assert max(rates) == pytest.approx(SMALL.learning_rate)
    assert 0 < peak <= 2
    assert all(np.diff(rates[: peak + 1]) > 0)
    assert all(np.diff(rates[peak + 1 :]) < 0)
    assert rates[-1] < 0.05 * SMALL.learning_rate


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


@pytest.mark.parametrize("adversarial", [0.0, 0.1])
def test_a_run_continued_from_a_checkpoint_is_the_uninterrupted_one(
    sequences: Sequences, tmp_path: Path, adversarial: float
) -> None:
    options = replace(SMALL, adversarial=adversarial)
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


# --- checkpoints


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


# --- the judges


def batch(sequences: Sequences) -> tuple[Trainer, torch.Tensor, torch.Tensor, torch.Tensor]:
    trainer = Trainer(sequences, replace(SMALL, adversarial=0.1), CPU)
    observed, future = trainer.held
    _, predicted = trainer.network.decode(trainer.network.encode(observed), observed[:, -1], SMALL.target_seq_len)
    return trainer, observed, future, predicted


def test_a_step_of_the_judges_teaches_them_and_leaves_the_network_alone(sequences: Sequences) -> None:
    trainer, observed, future, predicted = batch(sequences)
    adversary = Adversary(4, 5e-3, CPU)
    before = weights(trainer.network)
    untaught = [p.detach().clone() for p in adversary.parameters()]
    losses = [adversary.learn(observed, future, predicted) for _ in range(40)]
    # four terms of log 2 for judges who know nothing
    assert losses[0] == pytest.approx(4 * math.log(2), rel=0.1)
    assert losses[-1] < 0.5 * losses[0]
    assert same(weights(trainer.network), before)
    assert all(p.grad is None for p in trainer.network.parameters())
    assert not any(torch.equal(a, b) for a, b in zip(untaught, adversary.parameters(), strict=True))


def test_doubt_teaches_the_network_and_leaves_the_judges_alone(sequences: Sequences) -> None:
    trainer, observed, future, predicted = batch(sequences)
    adversary = Adversary(4, 5e-3, CPU)
    for _ in range(10):
        adversary.learn(observed, future, predicted)
    adversary.optimizer.zero_grad()
    before = [p.detach().clone() for p in adversary.parameters()]
    optimizer = torch.optim.Adam(trainer.network.parameters(), lr=5e-3)
    doubts = []
    for _ in range(20):
        _, predicted = trainer.network.decode(trainer.network.encode(observed), observed[:, -1], SMALL.target_seq_len)
        doubt = adversary.doubt(observed, predicted)
        optimizer.zero_grad()
        doubt.backward()
        optimizer.step()
        doubts.append(doubt.item())
    assert doubts[-1] < 0.8 * doubts[0]
    assert all(p.grad is None for p in adversary.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, adversary.parameters(), strict=True))
    assert all(p.requires_grad for p in adversary.parameters())


def test_each_judge_sees_what_it_should(sequences: Sequences) -> None:
    _, observed, future, _ = batch(sequences)
    adversary = Adversary(4, 5e-3, CPU)
    wrong = torch.roll(future, 1, dims=0)  # true motion, of another window
    for _ in range(60):
        adversary.learn(observed, future, wrong)
    with torch.no_grad():
        follows = adversary.continuity(torch.cat([observed, future], 1))
        jumps = adversary.continuity(torch.cat([observed, wrong], 1))
        # fidelity cannot know: the same futures, in another order
        assert torch.allclose(adversary.fidelity(future).sum(), adversary.fidelity(wrong).sum(), rtol=1e-4, atol=1e-3)
    assert (follows > jumps).float().mean() > 0.8


def test_adversarial_training_also_learns_to_predict(sequences: Sequences) -> None:
    result = train(
        sequences, replace(SMALL, iterations=150, hidden=16, adversarial=0.05, validate_every=50), quiet=True
    )
    assert result.validation < 0.8 * result.repeating


# --- options and command


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"iterations": 0}, "iterations of at least 1, got 0"),
        ({"patience": 0}, "patience of at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate above 0"),
        ({"adversarial": -1.0}, "not below 0, got"),
    ],
)
def test_options_that_make_no_sense_are_refused(change: dict[str, float], complaint: str) -> None:
    with pytest.raises(TrainingError, match=complaint):
        TrainOptions(**change)  # type: ignore[arg-type]  # wrong on purpose


def test_recordings_too_short_are_refused(sequences: Sequences) -> None:
    with pytest.raises(TrainingError, match="windows of 18 frames, got 1 of at most 100 frames"):
        train([sequences[0][:100]], SMALL, quiet=True)


def test_the_command_says_what_is_wrong_before_it_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--data", str(tmp_path)]) == 1
    assert "expected recordings or folders, --trial or --actions" in capsys.readouterr().err
    assert main(["run", "--trial", "01", "--data", str(tmp_path)]) == 1
    assert "expected one of sub86/01.mat" in capsys.readouterr().err
    with pytest.raises(SystemExit) as status:
        main(["run", "--stride", "five"])
    assert status.value.code == 2


@pytest.mark.data
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--stride", "7"], "expected window divisible by stride, got 50 and 7"),
        (["--name", "My Model"], "expected a name of a-z"),
        (["--version", "one"], "expected a positive integer as version"),
        (["--hidden", "8"], "expected projected < hidden, got 32 and 8"),
        (["--version", "3"], "exists; leave --version out for the next"),
        (["--actions", "walking"], "without --trial"),
    ],
)
def test_a_model_that_could_not_be_written_is_not_trained(
    options: list[str], complaint: str, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "motion" / "3").mkdir(parents=True)
    places = ["--data", str(data_dir), "--out", str(tmp_path), "--log", str(tmp_path / "log")]
    assert main(["run", "--trial", "01", *places, *options]) == 1
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "log").exists()


def run_without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in which `module` is not installed."""
    script = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {module!r}:
            raise ModuleNotFoundError(f"No module named {{name}}", name={module!r})

sys.meta_path.insert(0, Missing())
from motionscribe_training.__main__ import main
sys.exit(main())
"""
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(("module", "extra"), [("torch", "training"), ("onnxruntime", "server-cpu")])
def test_a_missing_extra_is_named_with_its_command(module: str, extra: str) -> None:
    done = run_without(module, "run", "--trial", "01")
    assert done.returncode == 1
    assert done.stderr.startswith("motionscribe-train: ")
    assert done.stderr.endswith(f'needs an extra: pip install "motionscribe[{extra}]"\n')


@pytest.mark.parametrize("command", ["run", "fetch"])
def test_help_works_without_torch(command: str) -> None:
    done = run_without("torch", command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: motionscribe-train {command}")


@pytest.mark.data
def test_from_recordings_to_a_served_model_and_back_to_its_pictures(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", "--actions", "walking,running,jumping", "--total-num-actions", "5", "--data", str(data_dir)]
    sizes = ["--hidden", "32", "--projected", "8", "--iterations", "60", "--batch-size", "8", "--target-seq-len", "10"]
    places = ["--out", str(tmp_path / "models"), "--log", str(tmp_path / "log")]
    places += ["--single-action", str(data_dir / "cmu8" / "soccer_1.txt")]
    assert main([*command, *sizes, *places, "--name", "tiny", "--picture", str(tmp_path / "new" / "bars.png")]) == 0
    folder = tmp_path / "models" / "tiny" / "1"
    bundle = read_bundle(folder)
    assert (bundle.manifest.window, bundle.manifest.decoder_steps, bundle.manifest.hidden) == (50, 10, 32)
    assert bundle.manifest.training["seed"] == 0
    joined, soccer = bundle.manifest.training["recordings"].values()
    assert joined > 5
    assert soccer == pytest.approx(801 / 120, abs=1e-3)
    printed = capsys.readouterr().out
    assert "on held-back windows after 60 of 60 iterations" in printed
    assert "+walking" in printed  # the table of scores
    assert (tmp_path / "new" / "bars.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "log" / "tiny" / "1" / "loss.png").is_file()

    # the same recording through the finished model: no training, the same picture
    again = tmp_path / "again.png"
    assert main([*command, "--model", str(folder), "--picture", str(again)]) == 0
    assert again.read_bytes() == (tmp_path / "new" / "bars.png").read_bytes()
    assert "held-back" not in capsys.readouterr().out

    # the finished checkpoint has nothing left to learn; the next version has the same weights
    checkpoint = tmp_path / "log" / "tiny" / "1" / "checkpoint.pt"
    assert main([*command, *sizes, *places, "--name", "tiny", "--load", str(checkpoint)]) == 0
    second = read_bundle(tmp_path / "models" / "tiny" / "2")
    assert second.graphs == bundle.graphs
