"""Are the names that clusters get by themselves right? `python -m benchmarks.anybody.names`.

Recordings whose annotation or name says what the body does go through the shipped model, as the service would put them.
At the end each cluster has a name or none: the precision of a name is the share of the time of its clusters in which
the body does that, the coverage the share of the time in which the body does it that has the name. The thresholds
were chosen on TUNED, which are not among them; soccer, basketball and playgrounds are not, for they say nothing of the
legs. The model itself was trained on most of them, without being told what they show. Prints a table and puts its rows
into results.json beside this file.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.blind.folds import ROOT, TRIALS
from benchmarks.results import Numbers, exactly, save
from motionscribe_models.body.actions import ACTIONS, WALK
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import ClusterMerged, Label
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.replay import replay
from motionscribe_server.session.session import Session
from motionscribe_training.evaluation.evaluate import labelled_recordings

TUNED = ("01", "03", "07")
"""Trials of subject 86."""
CALLED = {"walk": WALK, "walking": WALK}
"""What annotations and files call an action; all else is another one."""
FILES = {
    "cmu8": ("walking_*", "running_*", "jumping_*", "basketball_signal_*", "directing_traffic_*", "washwindow_*"),
    "cmu_amc": ("02_*", "03_*"),
    "bvh": ("walk01*.bvh",),
}
"""Folder -> recordings of one action each."""
CMU = {"02_01": "walk", "02_02": "walk", "02_03": "run", **{f"03_0{n}": "walk" for n in range(1, 5)}, "walk01": "walk"}
"""What the index of CMU's database, or whoever made a file, says of it."""
UNKNOWN = "unknown"

Tally = Counter[tuple[str, str]]
"""Seconds by (name given, action done)."""


def recordings(data: Path) -> Iterator[tuple[str, Recording, list[str]]]:
    """Folder, recording of the canonical body, and the action of each frame: one of ACTIONS, "" or UNKNOWN."""
    for trial in TRIALS:
        if trial not in TUNED:
            yield from _annotated("sub86", data / "sub86" / f"{trial}.mat")
    for path in sorted((data / "mocap6" / "amc").glob("*.amc")):
        yield from _annotated("mocap6", path)
    for folder, patterns in FILES.items():
        for path in (path for pattern in patterns for path in sorted((data / folder).glob(pattern))):
            if path.suffix != ".csv":
                body = mapped(read_recording(path))
                action = CALLED.get(CMU.get(path.stem, path.stem.rpartition("_")[0]), "")
                yield folder, body, [action] * len(body.frames)


def _annotated(folder: str, path: Path) -> Iterator[tuple[str, Recording, list[str]]]:
    for recording, annotation in labelled_recordings([path]):
        actions = [UNKNOWN] * len(recording.frames)
        for start, end, name in annotation.fitted(len(actions)).segments:
            actions[start:end] = [CALLED.get(name, "") if name else UNKNOWN] * (end - start)
        yield folder, mapped(recording), actions


def name_of_each(model: ServedModel, inference: Inference, recording: Recording, actions: list[str]) -> Tally:
    """One stream, and what its clusters are called at the end."""
    session = Session(model)
    events = replay(model, inference, recording, session=session)
    names = {state.id: state.name for state in session.clusters()}
    merged: dict[int, int] = {}
    for event in (emitted.event for emitted in events):
        if isinstance(event, ClusterMerged):
            merged = {id: event.target if into == event.source else into for id, into in merged.items()}
            merged[event.source] = event.target
    tally: Tally = Counter()
    for event in (emitted.event for emitted in events):
        if isinstance(event, Label) and event.final and event.cluster:
            name = names.get(merged.get(event.cluster, event.cluster), "")
            for frame in range(event.start_seq - 1, event.end_seq - 1):
                tally[name, actions[frame]] += 1 / recording.skeleton.rate_hz  # type: ignore[assignment]  # seconds
    return tally


def rows_of(tally: Tally) -> dict[str, Numbers]:
    """Of each name and of all together."""
    rows: dict[str, Numbers] = {}
    right = named = done = 0.0
    for action in ACTIONS:
        of_name = sum(s for (name, truth), s in tally.items() if name == action and truth != UNKNOWN)
        of_action = sum(s for (_, truth), s in tally.items() if truth == action)
        both = tally[action, action]
        right, named, done = right + both, named + of_name, done + of_action
        rows[f"names/{action}/precision"] = exactly(round(both / max(of_name, 1e-9), 3))
        rows[f"names/{action}/coverage"] = exactly(round(both / max(of_action, 1e-9), 3))
        rows[f"names/{action}/seconds"] = exactly(round(of_name, 1))
    rows["names/precision"] = exactly(round(right / max(named, 1e-9), 3))
    rows["names/coverage"] = exactly(round(right / max(done, 1e-9), 3))
    rows["names/seconds"] = exactly(round(named, 1))
    return rows


def main() -> None:
    """Replays, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    bundle = read_bundle(ROOT / "models" / "body" / "1")
    model, inference = ServedModel(bundle), Inference(bundle)
    total: Tally = Counter()
    for folder, recording, actions in recordings(options.data):
        tally = name_of_each(model, inference, recording, actions)
        total.update(tally)
        said = ", ".join(f"{name or 'no name'}: {truth or 'other'} {s:.1f} s" for (name, truth), s in tally.items())
        print(f"{folder} {recording.name}: {said}")
    save(__file__, "names", rows_of(total))


if __name__ == "__main__":
    main()
