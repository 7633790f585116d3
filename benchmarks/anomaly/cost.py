"""What alarms cost a server, on top of labels: `python -m benchmarks.anomaly.cost`.

Microseconds of one thread for a moment of one stream of the shipped body model: what its sensors said (three frames
of a 30 Hz source in one message); the pose model, the nearest moment that was shown and the nearest behaviour, of 100
streams at once; the detector; and all together. Prints a table and puts its rows into results.json beside this file.
Median of rounds, with quartiles; of all together the sums of these.
"""

import numpy as np

from benchmarks.anybody.cost import microseconds
from benchmarks.blind.folds import ROOT
from benchmarks.results import Numbers, save
from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.features import recording_features
from motionscribe_models.repository import read_bundle
from motionscribe_server.session.anomaly.detector import AnomalyDetector
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.sensed import Sensors
from motionscribe_server.session.anomaly.shown import described
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.span import Span
from motionscribe_training.fitting.pose_model import pose_inputs

STREAMS, FRAMES = 100, 3
RATE = 36_000.0
"""False alarms an hour of order that no moment is rarer than."""


def main() -> None:
    """Measures, prints and writes."""
    model = ServedModel(read_bundle(ROOT / "models" / "body" / "1"))
    assert model.anomaly is not None
    body = mapped(perform([("walk", 60.0)], rate_hz=30.0).recording)
    sensors, at = Sensors(model.feature_map, 30.0, 30.0), iter(range(10**9))

    def sense() -> None:
        start = FRAMES * (next(at) % 500)
        sensors.push(body.frames[start : start + FRAMES], body.timestamps_us[start : start + FRAMES].tolist())
        sensors.take(FRAMES)

    features = recording_features(model.feature_map, body.frames, body.timestamps_us, 30.0)[600:]
    inputs = pose_inputs(features[: FRAMES * STREAMS], FRAMES)
    reference = model.anomaly
    embeddings = np.random.default_rng(0).normal(size=(STREAMS, model.dimensions))
    moments = described(embeddings, inputs)
    misfits = reference.pose_model.misfits(inputs)
    sensors.push(body.frames[600:900], body.timestamps_us[600:900].tolist())
    sensed = [sensors.take(FRAMES) for _ in range(STREAMS)]
    budgets = dict.fromkeys(Kind, 0.5)
    detector = AnomalyDetector(reference, model.manifest.skeleton.joints, model.moment_s, budgets)
    moment = iter(range(1, 10**9))

    def detect() -> None:
        now = next(moment)
        span, n = Span(now, now + 1, now, now + 1), now % STREAMS
        seen = sensed[n], misfits[n], 0.5, 0.5, features[FRAMES * n], np.zeros(0)
        detector.update(Observation(span, *seen, order_rate=RATE, duration_rate=RATE))

    rows: dict[str, Numbers] = {
        "cost/sensors_us": microseconds(sense, 1),
        "cost/pose_model_us": microseconds(lambda: reference.pose_model.misfits(inputs), STREAMS),
        "cost/shown_us": microseconds(lambda: reference.shown.distances(moments), STREAMS),
        "cost/strangeness_us": microseconds(lambda: reference.behaviours.distances(embeddings), STREAMS),
        "cost/detector_us": microseconds(detect, 1),
    }
    every = [*rows.values()]
    together = {name: round(sum(row[name] for row in every), 5) for name in ("value", "low", "high")}
    rows["cost/all_us"] = {**together, "n": min(row["n"] for row in every)}
    save(__file__, "cost", rows)


if __name__ == "__main__":
    main()
