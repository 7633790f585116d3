"""SLEAP's analysis files, `.h5`: the places of nodes of each track, in pixels. Needs the extra `h5`.

`tracks` is (tracks, axes, nodes, frames), or (frames, tracks, nodes, axes) as newer programs write it; `node_names`
names the nodes, `track_names` the tracks, and `point_scores` says how sure SLEAP was. Nothing says the rate.
"""

from pathlib import Path

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.hdf5 import dataset, numbers, open_hdf5, texts
from motionscribe_models.recordings.individuals import Found, most_found
from motionscribe_models.recordings.keypoints import Keypoints, even_clock, keypoint_recording
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.spaces import guessed_space, image_space

_SCORES = "point_scores"
_FIRST_TRACKS, _FIRST_FRAMES = (0, 3, 2, 1), (1, 0, 2, 3)
"""Where tracks, frames, nodes and axes are, in both orders."""


def is_sleap(path: Path) -> bool:
    """Whether a file has tracks of nodes. Raises RecordingError for no HDF5 file, MissingExtraError."""
    with open_hdf5(path) as file:
        return "tracks" in file and "node_names" in file


def read_sleap(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for a foreign or truncated file, MissingExtraError without h5py."""
    with open_hdf5(path) as file:
        joints = texts(path, dataset(path, file, "node_names"))
        tracks = numbers(path, dataset(path, file, "tracks"))
        scores = numbers(path, dataset(path, file, _SCORES)) if _SCORES in file else None
        names = texts(path, dataset(path, file, "track_names")) if "track_names" in file else ()
    order = _order(tracks.shape, len(joints), len(names) or 1)
    if order is None:
        raise RecordingError(
            f"{path}: expected tracks of shape (tracks, 2, {len(joints)} nodes, frames), got {tracks.shape}"
        )
    tracks = tracks.transpose(order)
    if scores is not None and scores.ndim == 3:
        scores = scores.transpose((0, 2, 1) if order == _FIRST_TRACKS else (1, 0, 2))
    if not len(tracks) or not tracks.shape[1]:
        raise RecordingError(f"{path}: expected frames of a track, got tracks of shape {tracks.shape}")
    if scores is not None and scores.shape != tracks.shape[:3]:
        raise RecordingError(f"{path}: expected {_SCORES} for {tracks.shape[:3]}, got {scores.shape}")
    if len(names) != len(tracks):  # of those that were not tracked there are none
        names = tuple(f"track {n}" for n in range(len(tracks)))
    found = [Found.of(np.isfinite(track).all(axis=2)) for track in tracks]
    chosen, notes = most_found(names, found, tracks.shape[1])
    one = Keypoints(joints, tracks[chosen], None if scores is None else scores[chosen])
    space = image_space(one.places) if one.places.shape[2] == 2 else guessed_space(joints, one.places)
    return keypoint_recording(path, "sleap", one, space, even_clock(path, len(one.places), rate_hz), notes)


def _order(shape: tuple[int, ...], nodes: int, tracks: int) -> tuple[int, int, int, int] | None:
    """Which of both orders a shape has: by its axes and nodes, and where both are possible by the number of tracks."""
    possible = [
        order
        for order in (_FIRST_TRACKS, _FIRST_FRAMES)
        if len(shape) == 4 and shape[order[3]] in (2, 3) and shape[order[2]] == nodes
    ]
    fitting = [order for order in possible if shape[order[0]] == tracks]
    return next(iter([*fitting, *possible]), None)
