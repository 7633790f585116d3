"""From what a user names to what the network learns from: recordings found, and turned into sequences of features.

In: files, folders, trials of a data folder. Out: a Dataset: recordings of one layout, the feature map that they share,
and per recording one sequence (m, F) of raw features at the model's rate, computed as a session computes them. It draws
no windows (windows.py) and makes no recordings (actions.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.features import FeatureMap, moving_joints, recording_features
from motionscribe_models.recordings import Recording, endings
from motionscribe_models.recordings.reading import readers_of
from motionscribe_models.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Dataset:
    """Recordings that one network can learn from."""

    recordings: tuple[Recording, ...]
    feature_map: FeatureMap
    """Skeleton of the first recording, and the joints that move in any of them."""
    rate_hz: float
    """Of the sequences."""
    sequences: tuple[NDArray[np.float32], ...]
    """(m, F) each, one per recording."""

    @property
    def hours(self) -> float:
        """Length of all sequences."""
        return sum(len(s) for s in self.sequences) / self.rate_hz / 3600


def find_recordings(places: Sequence[Path]) -> list[Path]:
    """Files as they are, folders as the recordings directly in them, by name. Raises RecordingError for none.

    A text file counts as a recording when its first line is a row of a table, so that notes and ground truth may lie
    beside recordings.
    """
    found: list[Path] = []
    for place in places:
        inside = [p for p in sorted(place.iterdir()) if _is_recording(p)] if place.is_dir() else [place]
        if not inside:
            raise RecordingError(f"{place}: expected recordings ({', '.join(endings())}) in this folder, found none")
        found += inside
    missing = [p for p in found if not p.is_file()]
    if missing:
        raise RecordingError(f"{missing[0]}: expected a recording or a folder of recordings, found nothing")
    return found


def find_trials(data: Path, trials: Sequence[str]) -> list[Path]:
    """Trials of CMU subject 86 by their number ("01" or "1"): `sub86/01.mat`, or what `fetch cmu-86` put there."""
    found: list[Path] = []
    for trial in trials:
        number = trial.strip().zfill(2)
        names = (f"sub86/{number}.mat", f"cmu-86/86_{number}.amc", f"86_{number}.amc")
        path = next((data / name for name in names if (data / name).is_file()), None)
        if path is None:
            raise RecordingError(f"trial {trial}: expected one of {', '.join(names)} in {data}, found none")
        found.append(path)
    return found


def make_dataset(recordings: Sequence[Recording], rate_hz: float) -> Dataset:
    """Raises RecordingError where layouts differ or a recording is too short for the rate."""
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
    sequences = tuple(
        # each with its own skeleton: bodies may be measured in different units
        recording_features(FeatureMap(r.skeleton, joints), r.frames, r.timestamps_us, rate_hz)
        for r in recordings
    )
    return Dataset(tuple(recordings), FeatureMap(first.skeleton, joints), rate_hz, sequences)


def _layout(skeleton: Skeleton) -> tuple[object, ...]:
    """What must be equal for columns to mean the same; bone lengths, units and rate may differ."""
    return skeleton.joints, skeleton.parents, skeleton.representation, skeleton.inverted, skeleton.up_axis


def _is_recording(path: Path) -> bool:
    readers = readers_of(path)
    if not readers or not path.is_file():
        return False
    if not any(reader.table for reader in readers):
        return True
    with path.open("rb") as file:
        first_line = file.readline(1 << 20)
    # a table, and not one of segments as `motionscribe report` writes it
    return (b"," in first_line or b";" in first_line) and b"start_seq" not in first_line
