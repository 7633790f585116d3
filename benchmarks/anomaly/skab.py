"""Faults of a water rig that reports once a second: `python -m benchmarks.anomaly.skab`.

SKAB: twenty recordings of twenty minutes, a valve is closed in the middle of each; and one without faults, of another
month. The trainer's own command makes the models: of the one without faults (`anomaly_free`), of what came before the
fault in every other recording (`beginnings`), or of both. A model is tried on the recordings that it has nothing of. A
fault is found where an anomaly begins in it; one that begins elsewhere is a false alarm.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.results import exactly, extremes, save
from motionscribe_models.recordings import Recording, read_recording, write_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import Anomaly, SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.replay import replay
from motionscribe_training.__main__ import main as train

LEARN = ("anomaly_free", "beginnings", "both")
OPTIONS = ("--hidden", "64", "--iterations", "600")


@dataclass(frozen=True)
class Tried:
    """What was found in one recording, seconds."""

    delays: tuple[float, ...]
    """From the fault's beginning to that of each anomaly in it."""
    false_alarms: int
    normal_s: float
    segments_s: tuple[float, ...]


def main() -> None:
    """Trains, tries, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/skab"), help="where the models are kept")
    parser.add_argument("--learn", nargs="+", choices=LEARN, default=LEARN)
    options = parser.parse_args()
    paths = sorted((options.data / "skab").glob("valve*/*.csv"))
    free = options.data / "skab" / "anomaly-free" / "anomaly-free.csv"
    for learn in options.learn:
        tried: list[Tried] = []
        for fold in (0, 1):
            others = [] if learn == "anomaly_free" else beginnings(paths[1 - fold :: 2], options.work / "beginnings")
            places = [*others, *([] if learn == "beginnings" else [free])]
            model = made(f"{learn}-{fold}", places, options.work)
            tried += [try_on(path, model) for path in paths[fold::2]]
        save(__file__, learn, {f"{learn}/{metric}": numbers for metric, numbers in summary(tried).items()})


def beginnings(paths: Sequence[Path], folder: Path) -> list[Path]:
    """What came before the fault, in files of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for path in paths:
        recording, end = read_recording(path), int(fault(path).argmax())
        made.append(folder / f"{path.parent.name}-{path.stem}.npz")
        start = Recording(made[-1].stem, recording.frames[:end], recording.timestamps_us[:end], recording.skeleton)
        write_recording(start, made[-1])
    return made


def fault(path: Path) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) which rows the set's authors say are of the fault."""
    lines = path.read_text("utf-8").splitlines()
    column = lines[0].split(";").index("anomaly")
    return np.array([float(line.split(";")[column]) > 0 for line in lines[1:]])


def made(name: str, places: Sequence[Path], work: Path) -> Path:
    """The folder of a model, trained if it is not there."""
    folder = work / name / "1"
    if not folder.exists():
        result = ["--name", name, "--version", "1", "--out", str(work), "--log", str(work / "log")]
        assert train(["run", *map(str, places), *OPTIONS, *result]) == 0
    return folder


def try_on(path: Path, folder: Path) -> Tried:
    """A recording through a new stream."""
    bundle, recording, faulty = read_bundle(folder), read_recording(path), fault(path)
    times_s = recording.timestamps_us / 1e6
    begins_s, ends_s = float(times_s[faulty].min()), float(times_s[faulty].max())
    events = [came.event for came in replay(ServedModel(bundle), Inference(bundle, "fp32", (1,)), recording)]
    alarms_s = [event.start_us / 1e6 for event in events if isinstance(event, Anomaly) and event.phase == "begun"]
    inside = [alarm_s for alarm_s in alarms_s if begins_s <= alarm_s <= ends_s]
    return Tried(
        tuple(alarm_s - begins_s for alarm_s in inside),
        len(alarms_s) - len(inside),
        float(times_s[-1] - times_s[0]) - (ends_s - begins_s),
        tuple((event.end_us - event.start_us) / 1e6 for event in events if isinstance(event, SegmentEnded)),
    )


def summary(tried: Sequence[Tried]) -> dict[str, dict[str, float]]:
    """Metrics by name."""
    hours = sum(one.normal_s for one in tried) / 3600
    first = [one.delays[0] for one in tried if one.delays]
    found = {
        "found": exactly(len(first)),
        "faults": exactly(len(tried)),
        "false_per_hour": exactly(round(sum(one.false_alarms for one in tried) / hours, 3)),
        "segment_s": extremes([length for one in tried for length in one.segments_s]),
    }
    return found | ({"delay_s": extremes(first)} if first else {})


if __name__ == "__main__":
    main()
