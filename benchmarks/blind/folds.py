"""Models like the shipped one that have not seen what they are to label."""

import shlex
import subprocess
import sys
from pathlib import Path

from motionscribe_models.manifest import read_manifest
from motionscribe_training.data.dataset import find_recordings

TRIALS = ("01", "03", "07", "09", "10", "11", "13")
"""Of CMU subject 86, all at hand."""
ROOT = Path(__file__).parents[2]


def recordings_without(trials: tuple[str, ...], data: Path) -> list[Path]:
    """What the shipped model's actions were learnt from, but for some trials, or for "mocap6"."""
    others = [] if "mocap6" in trials else find_recordings([data / "mocap6" / "amc"])
    return [path for path in find_recordings([data / "sub86"]) if path.stem not in trials] + others


def train_without(trials: tuple[str, ...], data: Path, out: Path, seed: int = 0) -> Path:
    """The folder of a model trained by the shipped model's own command, but without some recordings. Made once."""
    folder = out / f"without-{'-'.join(trials)}-seed-{seed}" / "1"
    if folder.exists():
        return folder
    shipped = read_manifest(ROOT / "models" / "cmu-expmap" / "1")
    _, *arguments = shlex.split(shipped.training["command"])
    kept = [str(path) for path in recordings_without(trials, data)]
    places = {"sub86": kept, "amc": [], "cmu_amc": [str(data / "cmu_amc")]}
    changed = [changed for argument in arguments for changed in places.get(Path(argument).name, [argument])]
    # of options given twice the last counts
    result = ["--name", folder.parent.name, "--out", str(out), "--log", str(out / "log"), "--seed", str(seed)]
    checkpoint = out / "log" / folder.parent.name / "1" / "checkpoint.pt"
    begun = ["--load", str(checkpoint)] if checkpoint.exists() else []
    subprocess.run([sys.executable, "-m", "motionscribe_training", *changed, *result, *begun], check=True)
    return folder
