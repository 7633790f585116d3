"""The benchmark of label quality measures what it says: each measure by its definition."""

import numpy as np
import pytest
from benchmarks.quality.offline import link
from benchmarks.quality.watch import count_revisions, score_moments, watch
from made_up_session import MOMENT_US, STRIDE, Means, made_up_model, motion, recording

from motionscribe_proto.events import Label
from motionscribe_server.replay import Emitted
from motionscribe_training.annotations import Annotation, Boundary, Segment
from motionscribe_training.fit import partition


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
