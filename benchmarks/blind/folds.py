"""Models like the shipped one that have not seen what they are to label."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from motionscribe_models.manifest import read_manifest
from motionscribe_training.data.dataset import find_recordings

TRIALS = ("01", "03", "07", "09", "10", "11", "13")
"""Of CMU subject 86, all at hand."""
SINGLES = ("cmu8", "cmu_amc")
"""Folders of single actions, which some models learn from."""
ROOT = Path(__file__).parents[2]


def recordings_without(trials: tuple[str, ...], data: Path) -> list[Path]:
    """What the shipped model's actions were learnt from, but for some trials, or for "mocap6"."""
    others = [] if "mocap6" in trials else find_recordings([data / "mocap6" / "amc"])
    return [path for path in find_recordings([data / "sub86"]) if path.stem not in trials] + others


def singles_without(shipped: str, left_out: tuple[str, ...], data: Path) -> dict[str, list[Path]]:
    """Recordings of single actions that a shipped model learnt from, by folder, but for those of some names."""

    def kept(folder: str) -> list[Path]:
        paths = find_recordings([data / folder])
        return [path for path in paths if not any(fnmatch(path.stem, name) for name in left_out)]

    return {folder: kept(folder) for folder in sorted({Path(word).name for word in _command(shipped)} & {*SINGLES})}


def train_without(trials: tuple[str, ...], data: Path, out: Path, seed: int = 0) -> Path:
    """The folder of a model like `cmu-expmap`, but without some recordings. Made once."""
    return train_like("cmu-expmap", trials, data, out / f"without-{'-'.join(trials)}-seed-{seed}" / "1", seed)


def train_like(shipped: str, left_out: tuple[str, ...], data: Path, folder: Path, seed: int) -> Path:
    """Makes `folder`, .../NAME/1, by a shipped model's own command, but without some recordings, unless it is there.

    `left_out` are trials, "mocap6", and names of single actions, which may have `*`. Training that was broken off goes
    on.
    """
    if folder.exists():
        return folder
    out = folder.parent.parent
    singles = singles_without(shipped, left_out, data)
    places: dict[str, Sequence[Path | str]] = {"sub86": recordings_without(left_out, data), "amc": [], **singles}
    changed = [str(changed) for word in _command(shipped) for changed in places.get(Path(word).name, [word])]
    # of options given twice the last counts
    result = ["--name", folder.parent.name, "--out", str(out), "--log", str(out / "log"), "--seed", str(seed)]
    checkpoint = out / "log" / folder.parent.name / "1" / "checkpoint.pt"
    begun = ["--load", str(checkpoint)] if checkpoint.exists() else []
    subprocess.run([sys.executable, "-m", "motionscribe_training", *changed, *result, *begun], check=True)
    return folder


def _command(shipped: str) -> list[str]:
    """Arguments of the command that made a shipped model."""
    _, *arguments = shlex.split(read_manifest(ROOT / "models" / shipped / "1").training["command"])
    return arguments
