"""A model whose embedding of a moment is the mean of its frames: what a session must answer is known by construction.

No network: `Means` stands where Inference does, and the students are chosen so that pooling is undone exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.support.anomaly_arrays import Knots, made_up_anomaly

from motionscribe_models.body.joints import DERIVED
from motionscribe_models.features import FeatureMap
from motionscribe_models.manifest import Manifest
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.repository import ModelBundle
from motionscribe_models.skeleton import Skeleton, feature_skeleton
from motionscribe_proto.events import (
    ClusterCreated,
    ClusterMerged,
    ClusterSplit,
    Event,
    Gap,
    Label,
    Restarted,
    SegmentEnded,
    SegmentStarted,
)
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.session import Session
from motionscribe_server.session.steps import Step, WindowStates

Single = NDArray[np.float32]

T, STRIDE, M, D, RATE = 12, 3, 4, 2, 30.0
MOMENT_US = 100_000
LATENCY = {"fast": 2, "balanced": 10, "stable": 30}
SKELETON = feature_skeleton("plane", ("x", "y"), RATE)
PLACES = ((0.0, 0.0), (1.2, 0.0), (0.0, 1.2), (1.2, 1.2), (2.4, 0.0), (0.0, 2.4))
"""Each is a motion of its own, as far apart as actions are in an embedding whose variance is 1 in all."""


def made_up_bundle(
    centres: Sequence[Sequence[float]] = PLACES[:2],
    skeleton: Skeleton = SKELETON,
    knots: Mapping[str, Knots] | None = None,
) -> ModelBundle:
    """Clusters 1..n at `centres`; radius .5. Another skeleton than the plane only serves the intake.

    It gives no alarms but by the scores that `knots` names (anomaly_arrays.py).
    """
    settings = {
        "closed": 4.5,
        "young": 1.5,
        "adult": 30.0,
        "radius": 0.5,
        "shortest": 8.0,
        "edge": 4.0,
        "largest": 10.0,
    }
    joints = tuple(range(len(DERIVED) if skeleton.representation == "body" else 0, len(skeleton.joints)))
    width = FeatureMap(skeleton, joints).width
    manifest = Manifest(
        name="made-up",
        version="1",
        created="2026-01-01",
        description="no network",
        skeleton=skeleton,
        feature_joints=joints,
        rate_hz=RATE,
        window=T,
        stride=STRIDE,
        decoder_steps=M,
        features=width,
        hidden=D + 1,
        projected=D,
        latency=LATENCY,
        metrics={},
        settings=settings,
        training={},
    )
    one, none = np.eye(D), np.zeros((D, D))
    rest = np.zeros((6 * D, D))  # of a span's 2 D values only the first D, its mean, count; no states do
    students = [
        np.vstack([one, none, none, none, none, none, rest]),
        np.vstack([-one, none, 2 * one, none, none, none, rest]),
        np.vstack([none, none, -2 * one, none, 3 * one, none, rest]),
    ]
    arrays = {
        "motion": np.stack([np.eye(width, D), np.zeros((width, D))]),
        "spans": np.array([1, 2, 3]) * STRIDE,
        "evidence_mean": np.zeros(12 * D),
        "students": np.array(students),
        "embedding_mean": np.zeros((3, D)),
        "centres": np.array(centres, float).reshape(-1, D),
        "feature_scale": np.ones(width),
        "stability": np.tile([1.0, 0.5, 0.5, -1.0, 0.5, 0.0, 0.0], (3, 1)),
        **made_up_anomaly(FeatureMap(skeleton, joints), D, knots),
    }
    return ModelBundle(manifest, {}, arrays, {})


def made_up_model(centres: Sequence[Sequence[float]] = PLACES[:2], skeleton: Skeleton = SKELETON) -> ServedModel:
    """`made_up_bundle` as a server loads it."""
    return ServedModel(made_up_bundle(centres, skeleton))


class Means:
    """Instead of Inference: each window says the mean of its last moment, whatever batch it is in."""

    def new_state(self) -> Single:
        return np.zeros((STRIDE, D), np.float32)

    def advance(self, states: Sequence[Single], runs: Sequence[Sequence[Step]]) -> list[WindowStates | None]:
        answers: list[WindowStates | None] = []
        for state, run in zip(states, runs, strict=True):
            for step in run:
                state[step.index % STRIDE] = step.features[:D]
            mean = np.tile(state.mean(axis=0), (M, 1))
            prediction = np.tile(step.features, (M, 1))
            done = step.decode_slot >= 0
            answers.append(WindowStates(mean, np.full(M, 0.5, np.float32), prediction) if done else None)
        return answers


def motion(script: Sequence[tuple[int, int]], seed: int = 0, noise: float = 0.05) -> Single:
    """(place, moments) in order to frames (n, 2)."""
    places = np.repeat([PLACES[place] for place, _ in script], [STRIDE * moments for _, moments in script], axis=0)
    return (places + np.random.default_rng(seed).normal(0, noise, places.shape)).astype(np.float32)


def recording(frames: Single, times: NDArray[np.int64] | None = None) -> Recording:
    """Frames of the plane with even times unless given."""
    return Recording("made up", frames, even_times(len(frames), RATE) if times is None else times, SKELETON)


def feed(model: ServedModel, *options: Any, **more: Any) -> Driver:
    """A fresh made-up session, driven by Means."""
    return Driver(Session(model, *options, **more), Means())


def finals(events: Sequence[Event]) -> list[Label]:
    """The final labels, in order."""
    return [e for e in events if isinstance(e, Label) and e.final]


def check_story(events: Sequence[Event], known: Iterable[int], provisional: bool = True) -> None:
    """What holds of every closed stream: final labels tile, segments are their maximal runs, ids are told before use.

    `known` are the ids that the session began with. Anomalies are another matter.
    """
    ids, merged, told = {0, *known}, set[int](), set[int]()
    opened: SegmentStarted | None = None
    closed: SegmentEnded | None = None  # the last segment, until a gap
    run: list[Label] = []  # final labels of the open segment
    segments, end, restart = 0, None, None
    for event in events:
        assert restart is None or event == restart
        restart = None
        match event:
            case ClusterCreated(cluster=cluster):
                assert cluster not in ids
                ids.add(cluster)
            case ClusterMerged(source=source, target=target):
                assert {source, target} <= ids
                assert source not in merged
                merged.add(source)
            case ClusterSplit(cluster=cluster):
                merged.remove(cluster)
            case SegmentStarted():
                assert opened is None
                assert closed is None or closed.cluster != event.cluster, "two segments of one label in a row"
                segments += 1
                assert event.segment == segments
                opened, run = event, []
            case Label(final=True):
                assert opened is not None
                assert opened.cluster == event.cluster
                assert event.cluster in ids - merged
                assert event.stability == 1.0
                assert event.start_seq < event.end_seq
                assert event.start_us < event.end_us
                assert end is None or (event.start_seq, event.start_us) == end
                assert not provisional or event.cluster == 0 or event.start_seq in told
                run.append(event)
                end = event.end_seq, event.end_us
            case Label():
                assert provisional
                assert 0 < event.stability < 1
                assert end is None or event.start_seq >= end[0], "what is final was told again"
                told |= set(range(event.start_seq, event.end_seq))
            case SegmentEnded():
                assert opened is not None
                assert run
                assert (event.segment, event.cluster) == (opened.segment, opened.cluster)
                assert (event.start_seq, event.start_us) == (opened.start_seq, opened.start_us)
                assert (event.start_seq, event.start_us) == (run[0].start_seq, run[0].start_us)
                assert (event.end_seq, event.end_us) == end
                opened, closed = None, event
            case Gap():
                assert opened is None
                assert end is None or (event.start_seq, event.start_us) == end
                assert event.start_seq <= event.end_seq
                assert event.start_us < event.end_us
                closed, end = None, (event.end_seq, event.end_us)
                restart = Restarted(event.end_seq, event.end_us, "gap")
    assert opened is None
    assert restart is None
