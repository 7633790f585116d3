"""Models like a shipped one that have not seen what they are to judge, and how a session of one judges a recording."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.blind.folds import train_like
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import Anomaly, AnomalyScores
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.anomaly.sensed import Sensors
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay

FOLDS = (("01", "07", "mocap6"), ("03", "10"), ("09", "11", "13"))
"""Trials of subject 86, and all of mocap6, that a model has not seen."""
KINDS = ("sensor", "motion", "behaviour")


@dataclass(frozen=True, eq=False)
class Judged:
    """What a session said of a recording."""

    ends_s: NDArray[np.float64]
    """(n,) the end of each moment since the first frame."""
    rates: NDArray[np.float64]
    """(n, 3) false alarms an hour that each is worth, by kind."""
    anomalies: list[Anomaly]
    """As they stood at last."""


class Judge:
    """A model and what computes it."""

    def __init__(self, folder: Path) -> None:
        bundle = read_bundle(folder)
        self.model, self._inference = ServedModel(bundle), Inference(bundle)

    def judge(self, recording: Recording, budget: float) -> Judged:
        """With a budget of false alarms an hour for each kind."""
        seen = self._seen(recording)
        options = SessionOptions("balanced", False, seen.skeleton.rate_hz, budget, budget, budget, True)
        events = [emitted.event for emitted in replay(self.model, self._inference, seen, options)]
        scores = [event for event in events if isinstance(event, AnomalyScores)]
        origin = int(seen.timestamps_us[0])
        ends = np.array([score.end_us - origin for score in scores]) / 1e6
        rates = np.array([[score.sensor, score.motion, score.behaviour] for score in scores])
        anomalies = {event.anomaly: event for event in events if isinstance(event, Anomaly)}
        return Judged(ends, rates.reshape(-1, len(KINDS)), [*anomalies.values()])

    def impossible_s(self, recording: Recording) -> NDArray[np.float64]:
        """When a sensor moves as no body can, seconds since the first frame."""
        seen = self._seen(recording)
        sensors = Sensors(self.model.feature_map, seen.skeleton.rate_hz, self.model.manifest.rate_hz)
        sensors.push(seen.frames, seen.timestamps_us.tolist())
        fastest = np.array([sensors.take(1).jump.max() for _ in seen.frames])
        faulty = fastest > self.model.feature_map.representation.impossible
        return np.asarray((seen.timestamps_us[faulty] - seen.timestamps_us[0]) / 1e6)

    def _seen(self, recording: Recording) -> Recording:
        takes_bodies = self.model.manifest.skeleton.representation == "body"
        return mapped(recording) if takes_bodies and recording.skeleton.representation != "body" else recording


def train_without(left_out: tuple[str, ...], shipped: str, data: Path, out: Path) -> Path:
    """The folder of a model like a shipped one, but without some recordings. Made once."""
    return train_like(shipped, left_out, data, out / f"{shipped}-without-{'-'.join(left_out)}" / "1", seed=0)


def files_of(left_out: tuple[str, ...], data: Path) -> list[Path]:
    """The recordings that a fold leaves out."""
    trials = [data / "sub86" / f"{trial}.mat" for trial in left_out if trial != "mocap6"]
    return trials + (sorted((data / "mocap6" / "amc").glob("*.amc")) if "mocap6" in left_out else [])
