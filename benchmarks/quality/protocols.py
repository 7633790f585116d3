"""The protocols, one recording at a time: live, blind offline, published, and peers. Replays are kept in WORK.

In: the folder of the recordings and the name of one. Out: its scores under a model that has not seen it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from joblib import Memory

from benchmarks.blind.folds import TRIALS
from benchmarks.quality.left_out import Without, left_out
from benchmarks.quality.offline import link
from benchmarks.quality.peers import BOUNDARIES_ONLY, PEERS
from benchmarks.quality.published import published as published_rows
from benchmarks.quality.seen import see
from benchmarks.quality.watch import Labelled, Watched, score_moments, watch
from motionscribe_models.recordings import read_recording
from motionscribe_training.data.annotations import find_annotation
from motionscribe_training.fitting.first_clusters import partition

OTHERS = ("13_29", "13_30", "14_14")
"""Of mocap6; labelled by a model of subject 86 alone."""
WORK = Path("runs/quality")

Scores = dict[str, float]
Cell = tuple[float, float]
"""Penalty of a closed segment, and radius."""

_MEMORY = Memory(WORK, verbose=0)
Function = TypeVar("Function", bound=Callable[..., Any])


def kept(function: Function) -> Function:
    """Keeps in WORK what it returned for each of its arguments."""
    return cast(Function, _MEMORY.cache(function))


@kept
def live(data: Path, name: str, seed: int, latency: float, cell: Cell, without: Without = "") -> Watched:
    """Through a session."""
    model = left_out(data, name, seed)
    return watch(model.served(latency, settings_of(cell), without), model.inference(), labelled(data, name))


@kept
def offline(
    data: Path, names: Sequence[str], seed: int, cells: Sequence[Cell], without: Without = ""
) -> dict[tuple[str, Cell], tuple[Scores, Scores]]:
    """For recordings of one model and each of `cells`, with the number of actions unknown, and given."""
    model, all_found = left_out(data, names[0], seed), [labelled(data, name) for name in names]
    rows = {}
    embeddings = model.centred([recording for recording, _ in all_found], without)
    for name, found, embedding in zip(names, all_found, embeddings, strict=True):
        for cell in cells:
            served = model.served(1.0, settings_of(cell))
            segments = partition(embedding, replace(served.penalty, young=served.penalty.closed))
            labels = link(segments, radius=served.radius), link(segments, number=len(found[1].names))
            unknown, given = (score_moments(found, x, served.moment_s) for x in labels)
            rows[name, cell] = unknown, given
    return rows


@kept
def published(data: Path, name: str, seed: int) -> dict[str, Scores]:
    """Rows of published.py."""
    return published_rows(labelled(data, name), seed)


@kept
def peers(data: Path, name: str, seed: int) -> dict[str, Scores]:
    """Scores of each of PEERS; of boundaries alone where it finds nothing else."""
    found = labelled(data, name)
    seen = see(left_out(data, name, seed), found)
    rows: dict[str, Scores] = {}
    for peer, label in PEERS.items():
        scores = score_moments(found, label(seen), seen.moment_s)
        kept = ("boundary_f1", "boundary_f1_half_second", "segments_per_true")
        rows[peer] = {k: v for k, v in scores.items() if k in kept} if peer in BOUNDARIES_ONLY else scores
    return rows


def labelled(data: Path, name: str) -> Labelled:
    """A recording with what its annotators say. Raises RecordingError."""
    place = data / (f"sub86/{name}.mat" if name in TRIALS else f"mocap6/amc/{name}.amc")
    annotation = find_annotation(place)
    assert annotation is not None  # all ten have one
    return read_recording(place), annotation


def settings_of(cell: Cell) -> dict[str, float]:
    """As ServedModel reads them; a young segment costs half of a closed one."""
    return {"closed": cell[0], "young": cell[0] / 2, "radius": cell[1]}
