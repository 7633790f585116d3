"""Finds the recordings that a user names and turns them into sequences of features for the network.

In: files, folders, trials of a data folder. Out: a Dataset: recordings of one layout, the feature map that they share,
and sequences (m, F) of raw features at the model's rate, computed as a session computes them: a recording is one, or
several where time is missing in it. It draws no windows (windows.py) and makes no recordings (actions.py).
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.features import FeatureMap, moving_joints, runs_features
from motionscribe_models.gaps import longest_step_us, runs_without_gap
from motionscribe_models.recordings import Recording, endings, read_recording
from motionscribe_models.recordings.files import files_in
from motionscribe_models.recordings.reading import reader_of_folder, readers_of
from motionscribe_models.recordings.table import first_row
from motionscribe_models.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Run:
    """A part of a recording without a gap."""

    origin: int
    """Index of the recording."""
    skeleton: Skeleton
    frames: NDArray[np.floating]
    """(K, D)"""
    timestamps_us: NDArray[np.int64]
    """(K,)"""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Recordings of one layout, and their features."""

    recordings: tuple[Recording, ...]
    feature_map: FeatureMap
    """Skeleton of the first recording, and the joints that move in any of them."""
    rate_hz: float
    """Frames per second of the sequences."""
    sequences: tuple[NDArray[np.float32], ...]
    """(m, F) each, in the order of the recordings; none has a gap in it."""
    runs: tuple[Run, ...]
    """The raw frames of each sequence."""

    @property
    def largest(self) -> float:
        """The largest magnitude of raw values, to three digits."""
        return float(f"{max(float(np.nanmax(np.abs(recording.frames))) for recording in self.recordings):.3g}")

    @property
    def hours(self) -> float:
        """Length of all sequences together."""
        return sum(len(s) for s in self.sequences) / self.rate_hz / 3600


def find_recordings(places: Sequence[Path]) -> list[Path]:
    """The recordings at `places`: files, folders that are one, and for others the recordings in them, sorted by name.

    A text file is a recording when its first line is a row of a table, so that notes and ground truth may lie beside
    recordings; another file, when it looks like one of its format. What systems leave in folders is none. Raises
    RecordingError where a place has none.
    """
    found: list[Path] = []
    for place in places:
        if not place.is_dir() or reader_of_folder(place):
            found.append(place)
            continue
        inside = [p for p in files_in(place) if _is_recording(p)]
        if not inside:
            raise RecordingError(f"{place}: expected recordings ({', '.join(endings())}) in this folder, found none")
        found += inside
    missing = [p for p in found if not p.exists()]
    if missing:
        raise RecordingError(f"{missing[0]}: expected a recording or a folder of recordings, found nothing")
    return found


def find_trials(data: Path, trials: Sequence[str]) -> list[Path]:
    """Trials of CMU subject 86 by number ("01" or "1"): `sub86/01.mat`, or the files that `fetch cmu-86` wrote."""
    found: list[Path] = []
    for trial in trials:
        number = trial.strip().zfill(2)
        names = (f"sub86/{number}.mat", f"cmu-86/86_{number}.amc", f"86_{number}.amc")
        path = next((data / name for name in names if (data / name).is_file()), None)
        if path is None:
            raise RecordingError(f"trial {trial}: expected one of {', '.join(names)} in {data}, found none")
        found.append(path)
    return found


def read_aloud(path: Path) -> Recording:
    """Reads a recording, and says on standard error what its reader decided. Raises RecordingError."""
    recording = read_recording(path)
    for note in recording.notes:
        print(f"{path}: {note}", file=sys.stderr)
    return recording


def make_dataset(recordings: Sequence[Recording], rate_hz: float) -> Dataset:
    """Computes the features of recordings. Raises RecordingError where layouts differ or nothing moves."""
    if not recordings:
        raise RecordingError("expected at least one recording to learn from, got none")
    first = recordings[0]
    for other in recordings[1:]:
        if _layout(other.skeleton) != _layout(first.skeleton):
            raise RecordingError(
                f"expected recordings of one layout: {first.name} has {first.skeleton.name} "
                f"({first.skeleton.width} columns), {other.name} has {other.skeleton.name} ({other.skeleton.width})"
            )
    joints = moving_joints(first.skeleton, [r.frames for r in recordings])
    if not joints:
        raise RecordingError(
            f"{first.name}: expected motion, but no joint moves in any of {len(recordings)} recordings"
        )
    runs = [
        Run(origin, r.skeleton, r.frames[run], r.timestamps_us[run])
        for origin, r in enumerate(recordings)
        for run in runs_without_gap(r.timestamps_us, longest_step_us(r.skeleton.rate_hz, rate_hz))
    ]
    sequences: dict[int, NDArray[np.float32]] = {}
    for skeleton in {run.skeleton: None for run in runs}:  # bodies may be measured in different units
        own = [number for number, run in enumerate(runs) if run.skeleton == skeleton]
        raw = [(runs[number].frames, runs[number].timestamps_us) for number in own]
        found = runs_features(FeatureMap(skeleton, joints), raw, rate_hz)
        sequences |= zip(own, found, strict=True)
    ordered = tuple(sequences[number] for number in range(len(runs)))
    return Dataset(tuple(recordings), FeatureMap(first.skeleton, joints), rate_hz, ordered, tuple(runs))


def _layout(skeleton: Skeleton) -> tuple[object, ...]:
    """The fields that must be equal so that columns mean the same; bone lengths, units and rate may differ."""
    return skeleton.joints, skeleton.parents, skeleton.representation, skeleton.inverted, skeleton.up_axis


def _is_recording(path: Path) -> bool:
    readers = readers_of(path)
    if not any(reader.table for reader in readers):
        return any(reader.matches(path) for reader in readers)
    row = first_row(path)
    # a table, and not one of segments as `motionscribe report` writes it
    return len(row) > 1 and "start_seq" not in row
