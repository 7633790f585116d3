"""The benchmark of label quality measures what it says: each measure by its definition."""

import numpy as np
import pytest
from benchmarks.provisional import count_revisions
from benchmarks.quality.offline import link
from benchmarks.quality.published import cluster, fill, in_order, learn
from benchmarks.quality.state_metrics import state_metrics
from benchmarks.quality.watch import score_moments, watch
from tests.support.made_up_session import MOMENT_US, STRIDE, Means, made_up_model, motion, recording

from motionscribe_proto.events import Label
from motionscribe_server.session.replay import Emitted
from motionscribe_training.data.annotations import Annotation, Boundary, Segment
from motionscribe_training.fitting.first_clusters import partition


def test_a_perfect_stream_is_perfect() -> None:
    """Two places in turn, far apart: right but for the moments in which pooling mixes them."""
    script = [(0, 40), (1, 40), (0, 40)]
    made = recording(motion(script))
    cuts = [0, 40 * STRIDE, 80 * STRIDE, 120 * STRIDE]
    truth = Annotation(
        tuple(Segment(a, b, name) for a, b, name in zip(cuts, cuts[1:], "xyx", strict=False)),
        tuple(Boundary(c - 6, c, c + 6) for c in cuts[1:3]),
    )
    seen = watch(made_up_model(), Means(), (made, truth))  # type: ignore[arg-type]  # it has the two verbs
    assert seen.final["accuracy"] > 0.95
    assert seen.final["id_persistence"] == 1
    assert seen.final["revisions_per_boundary"] < 10
    assert seen.first["accuracy"] <= seen.final["accuracy"]
    assert ((seen.stability[:, 0] > 0) & (seen.stability[:, 0] < 1)).all()
    assert set(np.unique(seen.stability[:, 1])) <= {0.0, 1.0}
    exact = np.repeat([1, 2, 1], 40)
    assert score_moments((made, truth), exact, MOMENT_US / 1e6)["accuracy"] == pytest.approx(1, abs=0.01)


def test_revisions_are_labels_that_say_something_else() -> None:
    def told(start: int, end: int, cluster: int) -> Emitted:
        return Emitted(0, Label(start, end, 0, 0, cluster, 0.5, False))

    assert count_revisions([told(1, 4, 1), told(1, 4, 1), told(4, 7, 2)], 9) == 0
    assert count_revisions([told(1, 4, 1), told(3, 7, 2), told(3, 7, 2), told(1, 2, 2)], 9) == 2


def test_offline_segments_come_back_as_one_cluster() -> None:
    embedding = np.repeat([[0.0, 0.0], [2.0, 0.0], [0.1, 0.0]], 40, axis=0)
    segments = partition(embedding, made_up_model().penalty)
    assert [(s.start, s.end) for s in segments] == [(0, 40), (40, 80), (80, 120)]
    found = link(segments, radius=0.5)
    assert found[0] == found[-1] != found[60]
    assert len(set(link(segments, number=3))) == 3


def test_labels_of_the_published_protocol_stay_in_their_part() -> None:
    found, frames, edges = np.array([7, 8, 9]), np.array([2, 5, 8]), np.array([0, 4, 10])
    assert fill(found, frames, edges).tolist() == [7, 7, 7, 7, 8, 8, 8, 9, 9, 9]
    # nothing is predicted in the first part: what comes next counts
    assert fill(found[1:], frames[1:], edges).tolist() == [8, 8, 8, 8, 8, 8, 8, 9, 9, 9]
    assert in_order(np.array([5, 5, 2, 5, 9])).tolist() == [0, 0, 1, 0, 2]


def test_the_published_protocol_tells_what_is_cut_apart() -> None:
    """Two places, given as two parts: an untrained network is enough."""
    rng = np.random.default_rng(0)
    parts = [(place + 0.01 * rng.normal(size=(150, 4))).astype(np.float32) for place in (-1.0, 1.0)]
    labels = cluster(learn(parts, 0, seed=0), parts, 2)
    assert labels.shape == (300,)
    assert labels[:150].std() == labels[150:].std() == 0
    assert labels[0] != labels[-1]


def test_state_metrics_are_one_for_the_truth_under_other_names() -> None:
    truth = np.repeat([0, 1, 0, 2], 50)
    assert state_metrics(truth, np.array([4, 2, 9])[truth]) == pytest.approx(
        dict.fromkeys(state_metrics(truth, truth), 1)
    )
    worse = state_metrics(truth, np.zeros(200, np.int64))
    assert all(0 <= value < 0.8 for value in worse.values())
