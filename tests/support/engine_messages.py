"""Strategies that draw every message between a server and its workers, and every event in one."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from motionscribe_models.errors import LayoutError
from motionscribe_proto import events
from motionscribe_proto.frames import FrameBlock
from motionscribe_proto.verdicts import VERDICTS
from motionscribe_proto.weights import JointWeight, PartWeight
from motionscribe_server.engine.messages import (
    Answer,
    Ask,
    CloseSession,
    EditClusters,
    EngineInfo,
    ExplainSegment,
    ForgetSession,
    ListClusters,
    MapClusters,
    OpenSession,
    Ping,
    Ready,
    RecallSegment,
    Reply,
    SessionClusters,
    Start,
    StartFailed,
    TakeFrames,
    TakeSnapshot,
    Turn,
)
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.cluster_map import ClusterMap
from motionscribe_server.session.clustering import ClusterState, Exemplar
from motionscribe_server.session.edits import Mark, Merge, PlacedEdit, Rename, Split
from motionscribe_server.session.explanation import Explanation
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.recall import Recalled

INT64 = st.integers(-(2**63), 2**63 - 1)
COUNT = st.integers(0, 2**63 - 1)
FLOAT = st.floats(allow_nan=False)
TEXT = st.text(max_size=20)
FEW = 3


def few(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """A tuple of some."""
    return st.lists(items, max_size=FEW).map(tuple)


@st.composite
def blocks(draw: st.DrawFn) -> FrameBlock:
    """Frames of any bits, NaN among them."""
    K, D = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    values = draw(arrays(np.uint32, (K, D))).view(np.float32)
    times = draw(arrays(np.int64, K))
    confidences = draw(st.none() | arrays(np.float32, (K, 2), elements=st.floats(0, 1, width=32)))
    return FrameBlock(draw(st.integers(1, 2**62)), values, times, confidences)


OPTIONS = st.builds(
    SessionOptions,
    *(
        st.sampled_from(["fast", "balanced", "stable"]),
        st.booleans(),
        FLOAT,
        FLOAT,
        FLOAT,
        FLOAT,
        st.booleans(),
        st.booleans(),
    ),
)
EVENTS: dict[type, st.SearchStrategy[Any]] = {
    events.Label: st.builds(events.Label, INT64, INT64, INT64, INT64, COUNT, FLOAT, st.booleans()),
    events.SegmentStarted: st.builds(events.SegmentStarted, COUNT, COUNT, TEXT, INT64, INT64),
    events.SegmentEnded: st.builds(events.SegmentEnded, COUNT, COUNT, TEXT, INT64, INT64, INT64, INT64),
    events.Anomaly: st.builds(
        events.Anomaly,
        *(COUNT, st.booleans(), INT64, INT64, INT64, INT64),
        *(TEXT, TEXT, TEXT, FLOAT, few(TEXT), few(FLOAT), COUNT),
    ),
    events.AnomalyScores: st.builds(events.AnomalyScores, INT64, INT64, INT64, INT64, FLOAT, FLOAT, FLOAT),
    events.Degraded: st.builds(events.Degraded, COUNT, st.booleans(), INT64, INT64, INT64, INT64, few(TEXT)),
    events.ClusterCreated: st.builds(events.ClusterCreated, COUNT, INT64),
    events.ClusterMerged: st.builds(events.ClusterMerged, COUNT, COUNT, INT64),
    events.ClusterSplit: st.builds(events.ClusterSplit, COUNT, COUNT, INT64),
    events.ClusterNamed: st.builds(events.ClusterNamed, COUNT, TEXT, INT64, st.booleans()),
    events.ClusterTableFull: st.builds(events.ClusterTableFull, COUNT, COUNT, INT64),
    events.Gap: st.builds(events.Gap, INT64, INT64, INT64, INT64),
    events.Restarted: st.builds(events.Restarted, INT64, INT64, TEXT),
}
CENTRE = arrays(np.float64, st.integers(0, 4), elements=st.floats(allow_nan=False, allow_infinity=False))
POSITIVE = st.floats(0, 1e300)
CLUSTER = st.builds(
    ClusterState,
    st.integers(1, 9),
    TEXT,
    st.sampled_from([0, 10]),
    st.booleans(),
    CENTRE,
    POSITIVE,
    INT64,
    INT64,
    COUNT,
    POSITIVE,
    st.booleans(),
    few(st.builds(Exemplar, INT64, FLOAT, st.binary(max_size=20))),
)
BOOK = st.builds(PackedBook, COUNT, COUNT, TEXT)
CLUSTERS = st.builds(SessionClusters, COUNT, few(CLUSTER), BOOK)
EDIT = (
    st.builds(Rename, COUNT, TEXT)
    | st.builds(Merge, few(COUNT), COUNT)
    | st.builds(Split, COUNT)
    | st.builds(Mark, COUNT, st.sampled_from(VERDICTS))
)
PLACED = st.builds(PlacedEdit, COUNT, EDIT)
NUMBERS = arrays(np.int64, st.integers(0, 4), elements=INT64)
ROWS = arrays(np.float64, st.tuples(st.integers(0, 3), st.integers(0, 3)), elements=FLOAT)
FRAMES = arrays(np.float32, st.tuples(st.integers(0, 3), st.integers(0, 3)))
RECALLED = st.builds(
    *(Recalled, COUNT, COUNT, TEXT, FRAMES, NUMBERS, NUMBERS, COUNT, COUNT, INT64, NUMBERS, few(TEXT), ROWS),
)
MAP = st.builds(ClusterMap, NUMBERS, ROWS, ROWS, INT64)
EXPLANATION = st.builds(
    *(Explanation, COUNT, COUNT, TEXT, INT64, INT64, FLOAT, COUNT, TEXT),
    few(st.builds(JointWeight, TEXT, FLOAT, COUNT)),
    few(st.builds(PartWeight, INT64, INT64, FLOAT, COUNT)),
)
REQUEST = (
    st.builds(
        *(OpenSession, COUNT, TEXT, OPTIONS, CLUSTERS, st.booleans(), st.none() | st.binary(max_size=50)),
        few(PLACED),
    )
    | st.builds(ListClusters, COUNT)
    | st.builds(EditClusters, COUNT, EDIT)
    | st.builds(RecallSegment, COUNT, COUNT)
    | st.builds(MapClusters, COUNT)
    | st.builds(ExplainSegment, TEXT, RECALLED)
)
ANSWER = st.builds(
    *(Answer, COUNT, COUNT, COUNT, few(st.one_of(*EVENTS.values())), st.booleans(), st.none(), st.none() | st.binary()),
    few(PLACED),
)
ENGINE = st.builds(EngineInfo, TEXT, TEXT, TEXT, few(TEXT))
PATH = st.sampled_from([Path("models"), Path("/srv/a b"), Path(b"/srv/\xff".decode(errors="surrogateescape"))])
SENT: dict[type, st.SearchStrategy[Any]] = {
    Start: st.builds(
        Start,
        PATH,
        st.none() | PATH,
        few(st.tuples(TEXT, TEXT)),
        st.sampled_from(["auto", "fp32", "int8"]),
        few(COUNT),
        *(COUNT, TEXT, st.booleans()),
    ),
    Ask: st.builds(Ask, COUNT, REQUEST),
    TakeFrames: st.builds(TakeFrames, COUNT, blocks()),
    CloseSession: st.builds(CloseSession, COUNT),
    TakeSnapshot: st.builds(TakeSnapshot, COUNT),
    ForgetSession: st.builds(ForgetSession, COUNT),
    Ping: st.builds(Ping),
}
ANSWERED: dict[type, st.SearchStrategy[Any]] = {
    Ready: st.builds(Ready, few(st.tuples(TEXT, ENGINE))),
    StartFailed: st.builds(StartFailed, TEXT.map(LayoutError)),
    Turn: st.builds(Turn, COUNT, FLOAT, st.sampled_from(Shedding), few(ANSWER)),
    Reply: st.builds(Reply, COUNT, CLUSTERS | RECALLED | MAP | EXPLANATION),
}
ANY = st.one_of(*SENT.values(), *ANSWERED.values())
