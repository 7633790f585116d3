"""Live labels against state detection, on four joint angles: `python -m benchmarks.quality.four_channels`.

In: subject 86 in the form in which state detection reports it, sub86_4d. Out: scores of every frame, by method and
trial. Methods of tsseg and claspy learn on the trial that they label and see all of it at once; `gaussian_hmm` is told
the true number of states, no other is; each has its library's defaults. `live`: through the server's Session, labels as
they are final after a latency in seconds, by a small model that the project's trainer made of the other trials' four
channels, with the shipped settings (chosen on all angles of trials of subject 86, these among them).
"""

import argparse
import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from claspy.state_detection import AgglomerativeCLaPDetection
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from tsseg.algorithms import E2USDDetector, GaussianHMMDetector, HdpHsmmDetector, Time2StateDetector

from benchmarks.quality.left_out import LeftOut
from benchmarks.quality.protocols import WORK, Scores, kept
from benchmarks.quality.state_metrics import state_metrics
from motionscribe_models.recordings import Recording, even_times, write_recording
from motionscribe_models.repository import read_bundle
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_training.evaluation.evaluate import replay_recording
from motionscribe_training.evaluation.metrics import Labels, match_clusters

Channels = NDArray[np.float64]

TRIALS = ("86_01", "86_03", "86_07", "86_09", "86_10", "86_11")
LATENCIES = (1.0, 3.0)
SKELETON = feature_skeleton("sub86-4d", ("angle1", "angle2", "angle3", "angle4"), 120.0)
OPTIONS = "--hidden 128 --source-seq-len 48 --target-seq-len 24 --stride 3 --projected 64 --iterations 600"
"""Like the shipped model, but smaller."""


def time2state(frames: Channels, states: int) -> Labels:
    """Time2State (Wang et al., 2023), which finds the number."""
    return _quietly(lambda: Time2StateDetector(random_state=0).fit_predict(frames))


def e2usd(frames: Channels, states: int) -> Labels:
    """E2USD (Lai et al., 2024), which finds the number."""
    return _quietly(lambda: E2USDDetector(random_state=0).fit_predict(frames))


def hdp_hsmm(frames: Channels, states: int) -> Labels:
    """HDP hidden semi-Markov model (Johnson and Willsky, 2013), one chain, which finds the number."""
    np.random.seed(0)
    return _quietly(lambda: HdpHsmmDetector().fit_predict(frames))


def gaussian_hmm(frames: Channels, states: int) -> Labels:
    """Hidden Markov model of Gaussian emissions, number of states given."""
    return _quietly(lambda: GaussianHMMDetector(n_states=states, random_state=0).fit_predict(frames))


def clap(frames: Channels, states: int) -> Labels:
    """CLaP (Ermshaus et al., 2025), by its authors, which finds the number."""
    return _quietly(lambda: AgglomerativeCLaPDetection(n_jobs=1).fit_predict(frames, sparse=False))


METHODS: dict[str, Callable[[Channels, int], Labels]] = {
    "time2state": time2state,
    "e2usd": e2usd,
    "hdp_hsmm": hdp_hsmm,
    "gaussian_hmm": gaussian_hmm,
    "clap": clap,
}


@kept
def offline_states(data: Path, trial: str, method: str) -> Scores:
    """Of one of METHODS."""
    frames, truth = read_trial(data, trial)
    return score(truth, METHODS[method](frames, len(np.unique(truth))))


@kept
def live_states(data: Path, trial: str, latency: float) -> Scores:
    """Of final labels after `latency` seconds."""
    model = LeftOut(read_bundle(train_without(data, trial)), data, (trial,))
    replayed = replay_recording(model.served(latency, {}), model.inference(), recording_of(data, trial), None, "stable")
    return score(read_trial(data, trial)[1], replayed.final)


def train_without(data: Path, trial: str) -> Path:
    """The folder of a model of the other trials. Made once."""
    work = WORK.parent / "four_channels"
    folder = work / f"without-{trial}" / "1"
    if not folder.exists():
        (work / "recordings").mkdir(parents=True, exist_ok=True)
        others = [(other, work / "recordings" / f"{other}.npz") for other in TRIALS if other != trial]
        for other, path in others:
            write_recording(recording_of(data, other), path)
        places = [*(str(path) for _, path in others), *OPTIONS.split()]
        result = ["--name", folder.parent.name, "--out", str(work), "--log", str(work / "log")]
        subprocess.run([sys.executable, "-m", "motionscribe_training", "run", *places, *result], check=True)
    return folder


def read_trial(data: Path, trial: str) -> tuple[Channels, Labels]:
    """Frames (n, 4) at 120 Hz, degrees, and the state (n,) of each."""
    frames = np.loadtxt(data / "sub86_4d" / f"amc_{trial}.4d")
    states = json.loads((data / "sub86_4d" / "labels.json").read_text())[trial]
    ends = [0, *(int(end) for end in states)]
    lengths = [b - a for a, b in pairwise(ends)]
    return frames, np.repeat(np.array([*states.values()], np.int64), lengths)


def recording_of(data: Path, trial: str) -> Recording:
    """The frames as the server takes them."""
    frames, _ = read_trial(data, trial)
    return Recording(trial, frames.astype(np.float32), even_times(len(frames), SKELETON.rate_hz), SKELETON)


def score(truth: Labels, predicted: Labels) -> Scores:
    """Of all frames; clusters are matched to states by most agreement."""
    return {
        "accuracy": float(np.mean(match_clusters(truth, predicted) == truth)),
        "ari": float(adjusted_rand_score(truth, predicted)),
        "nmi": float(normalized_mutual_info_score(truth, predicted)),
        **state_metrics(truth, predicted),
        "clusters": float(len(np.unique(predicted[predicted >= 0]))),
        "classes": float(len(np.unique(truth))),
    }


def four_channels(data: Path) -> dict[str, list[Scores]]:
    """Scores of all TRIALS by row."""
    rows = {f"four_channels/{method}": [offline_states(data, trial, method) for trial in TRIALS] for method in METHODS}
    for latency in LATENCIES:
        rows[f"four_channels/live_{latency:g}"] = [live_states(data, trial, latency) for trial in TRIALS]
    return rows


def main() -> None:
    """Trains, replays and prints means over trials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    rows = four_channels(parser.parse_args().data.resolve())
    metrics = list(next(iter(rows.values()))[0])
    print(" ".join([f"{'row':28}", *(f"{metric[:9]:>9}" for metric in metrics)]))
    for row, found in rows.items():
        means = [np.mean([scores[metric] for scores in found]) for metric in metrics]
        print(" ".join([f"{row:28}", *(f"{mean:9.3f}" for mean in means)]))


def _quietly(label: Callable[[], NDArray[np.integer]]) -> Labels:
    """Labels (n,), without what libraries print."""
    with contextlib.redirect_stdout(io.StringIO()):
        return np.asarray(label(), np.int64)


if __name__ == "__main__":
    # joblib keeps results of functions of __main__ apart from those of this module
    from benchmarks.quality import four_channels as module

    module.main()
