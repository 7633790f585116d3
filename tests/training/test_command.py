"""The command `motionscribe-train`: it refuses early, names missing extras, and makes a model that serves."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_info

from motionscribe.demo.performer import perform
from motionscribe_models.recordings import write_recording
from motionscribe_models.repository import read_bundle
from motionscribe_training.__main__ import main
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.checkpoints import read_checkpoints
from motionscribe_training.fitting import pose_model
from motionscribe_training.network.curve import Point
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.trainer import TrainResult


def test_the_command_says_what_is_wrong_before_it_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--data", str(tmp_path)]) == 1
    assert "expected recordings or folders, --trial or --actions" in capsys.readouterr().err
    assert main(["run", "--trial", "01", "--data", str(tmp_path)]) == 1
    assert "expected one of sub86/01.mat" in capsys.readouterr().err
    for wrong, complaint in (
        (["--stride", "five"], "invalid int value: 'five'"),
        (["--duration", "hold"], "expected NAME=SECONDS, got 'hold'"),
        (["--duration", "hold=long"], "expected NAME=SECONDS, got 'hold=long'"),
        (["--lag", "0.5"], "choose from"),
    ):
        with pytest.raises(SystemExit) as status:
            main(["run", *wrong])
        assert status.value.code == 2
        assert complaint in capsys.readouterr().err


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
        (["--threads", "0"], "expected --threads of at least 1, got 0"),
        (["--duration", "hold=0.01"], "expected hold from 0.166667 s, a moment, to 10922.7 s, got 0.01 s"),
        (["--duration", "holt=1"], "got 'holt'"),
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


@pytest.mark.parametrize(("options", "threads"), [([], 1), (["--threads", "2"], 2)])
def test_as_many_threads_compute_as_were_told_whatever_the_machine_has(
    options: list[str], threads: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_recording(perform([("walk", 4.0)], seed=0).recording, tmp_path / "walk.npz")
    before = torch.get_num_threads()
    torch.set_num_threads(3)  # as torch takes them from a machine of three cores
    used: list[int] = []

    def count(*_: object, **__: object) -> None:
        used.extend([torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())])
        raise TrainingError("enough was seen")

    monkeypatch.setattr("motionscribe_training.run.train", count)
    try:
        assert main(["run", str(tmp_path / "walk.npz"), *options, "--log", str(tmp_path / "log")]) == 1
        assert used[0] == threads
        assert max(used) <= threads
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_run_that_learnt_by_heart_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_recording(perform([("walk", 4.0)], seed=0).recording, tmp_path / "walk.npz")
    points = (Point(10, 0.5, 0.5), *(Point(20 + n, 0.1, 0.9) for n in range(5)))
    learnt = TrainResult(Seq2Seq(1, 1), points, 24, 10, 0.5, 1.0)

    def stop(*_: object) -> None:
        raise TrainingError("enough was seen")

    monkeypatch.setattr("motionscribe_training.run.train", lambda *_, **__: learnt)
    monkeypatch.setattr("motionscribe_training.run._publish", stop)
    assert main(["run", str(tmp_path / "walk.npz"), "--out", str(tmp_path), "--log", str(tmp_path / "log")]) == 1
    assert "warning: over-trained: after iteration 10, whose weights are kept" in capsys.readouterr().err


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
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pose_model, "ITERATIONS", 20)
    command = ["run", "--actions", "walking,running,jumping", "--total-num-actions", "5", "--data", str(data_dir)]
    sizes = ["--hidden", "32", "--projected", "8", "--iterations", "60", "--batch-size", "8", "--target-seq-len", "10"]
    places = ["--out", str(tmp_path / "models"), "--log", str(tmp_path / "log")]
    places += ["--single-action", str(data_dir / "cmu8" / "soccer_1.txt")]
    kept = ["--keep-checkpoints", "--stop", "separation"]
    drawn = ["--name", "tiny", "--picture", str(tmp_path / "new" / "bars.png")]
    assert main([*command, *sizes, *places, *kept, *drawn]) == 0
    folder = tmp_path / "models" / "tiny" / "1"
    bundle = read_bundle(folder)
    assert (bundle.manifest.window, bundle.manifest.decoder_steps, bundle.manifest.hidden) == (50, 10, 32)
    assert (bundle.manifest.training["seed"], bundle.manifest.training["stop"]) == (0, "separation")
    assert [one.point.iteration for one in read_checkpoints(tmp_path / "log" / "tiny" / "1" / "checkpoints")] == [60]
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


def test_bodies_are_learnt_in_images_and_labelled_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pose_model, "ITERATIONS", 20)
    recording = perform([("walk", 6.0), ("squat", 6.0), ("walk", 6.0)], seed=0).recording
    write_recording(recording, tmp_path / "walk.npz")
    sizes = ["--hidden", "12", "--projected", "8", "--iterations", "3", "--source-seq-len", "10", "--stride", "5"]
    places = ["--out", str(tmp_path / "models"), "--log", str(tmp_path / "log"), "--name", "flat"]
    assert main(["run", "--body2d", str(tmp_path / "walk.npz"), *sizes, *places, "--target-seq-len", "5"]) == 0
    manifest = read_bundle(tmp_path / "models" / "flat" / "1").manifest
    assert (manifest.skeleton.representation, manifest.features) == ("body2d", 28)
    assert len(manifest.training["recordings"]) == 4, "of four cameras"
    with pytest.raises(SystemExit):
        main(["run", "--body", "--body2d", str(tmp_path / "walk.npz")])
    assert "not allowed with argument" in capsys.readouterr().err
