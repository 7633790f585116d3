"""Models like a shipped one that have not seen what they are to judge, and how a session of one judges a recording."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.anomaly.seen import Seen, Watch
from benchmarks.blind.folds import train_like
from motionscribe_models.arrays import Array
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import Anomaly, AnomalyScores
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import Driver, ServedModel, Session, SessionOptions
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.sensed import Sensors
from motionscribe_server.session.replay import events_of

FOLDS = (("01", "07", "mocap6"), ("03", "10"), ("09", "11", "13"))
"""Trials of subject 86, and all of mocap6, that a model has not seen."""
MODELS = ("body", "cmu-expmap")
"""Shipped ones that are measured; rows of the first bear no name."""
KINDS = tuple(Kind)
BUDGETS = {"05h": 0.5, "6h": 6.0, "60h": 60.0}
"""Part of a row -> false alarms an hour of each kind."""
JUDGED_AT = BUDGETS["6h"]
"""The budget of a session: it learns nothing while an anomaly is open, and names joints of those that begin."""
APART_S = 2.0
"""Moments that are nearer to each other are one alarm."""
FAULT_S = 1.0
"""Around a fault that a recording has by itself nothing is counted."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What was said of a recording."""

    ends_s: Array
    """(n,) the end of each moment since the first frame."""
    rates: Array
    """(n, kinds) false alarms an hour that each is worth; of a session, those of KINDS."""
    anomalies: list[Anomaly]
    """As they stood at last."""
    seen: Seen
    """The same moments as baselines see them."""


class Judge:
    """A model and what computes it."""

    def __init__(self, folder: Path) -> None:
        bundle = read_bundle(folder)
        self.model, self._inference = ServedModel(bundle), Inference(bundle)

    def judge(self, recording: Recording, budget: float) -> Judged:
        """With a budget of false alarms an hour for each kind."""
        body = self._seen(recording)
        options = SessionOptions("balanced", False, body.skeleton.rate_hz, budget, budget, budget, True)
        watch = Watch()
        events = events_of(Driver(Session(self.model, options, on_moment=watch.add), self._inference), body)
        scores = [event for event in events if isinstance(event, AnomalyScores)]
        origin = int(body.timestamps_us[0])
        ends = np.array([score.end_us - origin for score in scores]) / 1e6
        rates = np.array([[score.sensor, score.motion, score.behaviour] for score in scores])
        anomalies = {event.anomaly: event for event in events if isinstance(event, Anomaly)}
        seen = watch.of([score.end_seq for score in scores])
        return Judged(ends, rates.reshape(-1, len(KINDS)), [*anomalies.values()], seen)

    def fine(self, recording: Recording, judged: Judged) -> NDArray[np.bool_]:
        """(n,) the moments near which no sensor of the recording itself moves as none can."""
        impossible_s = self._impossible_s(recording)
        return np.array([not (np.abs(impossible_s - end) <= FAULT_S).any() for end in judged.ends_s], bool)

    def _impossible_s(self, recording: Recording) -> Array:
        """Seconds since the first frame."""
        body = self._seen(recording)
        sensors = Sensors(self.model.feature_map, body.skeleton.rate_hz, self.model.manifest.rate_hz)
        sensors.push(body.frames, body.timestamps_us.tolist())
        fastest = np.array([sensors.take(1).jump.max() for _ in body.frames])
        faulty = fastest > self.model.feature_map.representation.impossible
        return np.asarray((body.timestamps_us[faulty] - body.timestamps_us[0]) / 1e6)

    def _seen(self, recording: Recording) -> Recording:
        takes_bodies = self.model.manifest.skeleton.representation == "body"
        return mapped(recording) if takes_bodies and recording.skeleton.representation != "body" else recording


def begins_s(ends_s: Array, rare: NDArray[np.bool_]) -> Array:
    """When alarms begin: at rare moments with none in the APART_S before them. `ends_s` (n,) and `rare` (n,)."""
    rare_s = ends_s[rare]
    return rare_s[np.diff(rare_s, prepend=-np.inf) > APART_S]


def train_without(left_out: tuple[str, ...], shipped: str, data: Path, out: Path) -> Path:
    """The folder of a model like a shipped one, but without some recordings. Made once."""
    return train_like(shipped, left_out, data, out / f"{shipped}-without-{'-'.join(left_out)}" / "1", seed=0)


def files_of(left_out: tuple[str, ...], data: Path) -> list[Path]:
    """The recordings of several actions that a fold leaves out."""
    trials = [data / "sub86" / f"{trial}.mat" for trial in left_out if trial != "mocap6"]
    return trials + (sorted((data / "mocap6" / "amc").glob("*.amc")) if "mocap6" in left_out else [])
