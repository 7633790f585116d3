"""From events to scores, by hand-made streams and through a model."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.emitted_labels import HALVES, label, stream, take

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_proto.events import ClusterCreated, Label, SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.embedding import Embedding
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.replay import Emitted, replay
from motionscribe_training.data.annotations import Annotation, Segment, find_annotation
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.evaluate import Replayed, bars_of, embed, evaluate, gather_labels, score_replayed


def test_labels_are_gathered_frame_by_frame() -> None:
    emitted = [
        Emitted(100_000, label(1, 13, 3, final=False)),
        Emitted(200_000, ClusterCreated(4, 0)),
        Emitted(200_000, label(1, 25, 4, final=False)),
        Emitted(300_000, label(1, 13, 4)),
        Emitted(400_000, SegmentEnded(1, 4, "hop", 1, 13, 0, 100_000)),
        Emitted(400_000, label(13, 25, 0)),
    ]
    found = gather_labels(emitted, take(30), None, "balanced")
    assert found.first.tolist() == [3] * 12 + [4] * 12 + [-1] * 6
    assert found.final.tolist() == [4] * 12 + [-1] * 18
    assert found.first_us[[0, 12]].tolist() == [100_000, 200_000]
    assert found.final_us[0] == 300_000
    assert found.names == {4: "hop"}


def test_perfect_labels_are_late_by_their_latency_only() -> None:
    found = gather_labels(stream(*[1] * 50, *[2] * 50, late=10), take(), HALVES, "balanced")
    final, first = score_replayed(found), score_replayed(found, "first")
    assert (final.accuracy, final.ari, final.f1_50, final.edit, final.boundary_f1) == pytest.approx((1,) * 5)
    # the moment that begins at 5.0 s is complete at 5.1 s and final ten moments later
    assert final.delays_s == pytest.approx((1.1,))
    assert (first.accuracy, first.clusters, first.never_found) == (0.5, 1, 1)


def test_a_boundary_counts_inside_the_annotators_tolerance() -> None:
    for moments_late, expected in ((3, 1.0), (4, 0.0)):
        clusters = [1] * (50 + moments_late) + [2] * (50 - moments_late)
        found = score_replayed(gather_labels(stream(*clusters, late=0), take(), HALVES, "fast"))
        assert found.boundary_f1 == expected
        assert found.boundary_f1_half_second == 1
        assert found.delays_s == pytest.approx((0.1 * moments_late + 0.1,))


@pytest.mark.data
def test_the_annotation_itself_scores_one_on_every_trial(data_dir: Path) -> None:
    for path in sorted((data_dir / "sub86").glob("*.mat")):
        recording, annotation = read_recording(path), find_annotation(path)
        assert annotation is not None
        frames = len(recording.frames)
        labels = annotation.fitted(frames).labels(frames) + 7
        times = recording.timestamps_us
        found = score_replayed(Replayed(recording, annotation, "fast", labels, times, labels, times, {}))
        assert (found.accuracy, found.ari, found.nmi, found.f1_50, found.edit) == pytest.approx((1,) * 5)
        assert (found.boundary_f1, found.boundary_f1_half_second, found.segments_per_true) == (1, 1, 1)
        assert found.delay_median_s is not None
        assert found.delay_median_s < 1 / 30
        # the same labels a second too late
        late = np.concatenate([np.full(120, labels[0]), labels[:-120]])
        worse = score_replayed(Replayed(recording, annotation, "fast", late, times, late, times, {}))
        # a tolerance may be wide, and the next boundary near, but rarely
        assert worse.boundary_f1 is not None
        assert max(worse.boundary_f1, worse.boundary_f1_half_second) < 0.3
        assert worse.delay_median_s == pytest.approx(1.0, abs=1 / 30)
        seconds = frames / 120
        assert worse.accuracy == pytest.approx(1 - len(annotation.boundaries) / seconds, abs=0.02)


def test_only_what_is_annotated_is_scored() -> None:
    annotation = Annotation((Segment(0, 600, "walk"),), ())
    found = score_replayed(gather_labels(stream(*[1] * 50, *[2] * 50, late=0), take(), annotation, "fast"))
    assert (found.accuracy, found.clusters, found.boundary_f1, found.delay_median_s) == (1, 1, None, None)


def test_without_a_fitting_annotation_there_is_no_score() -> None:
    with pytest.raises(TrainingError, match="take: expected an annotation"):
        score_replayed(gather_labels([], take(), None, "fast"))
    with pytest.raises(RecordingError, match="expected a recording of 1200 frames, as annotated, got 900"):
        score_replayed(gather_labels([], take(900), HALVES, "fast"))


def test_bars_show_truth_final_and_first_labels() -> None:
    found = gather_labels(stream(*[1] * 50, *[2] * 50, late=10), take(), HALVES, "balanced")
    bars = bars_of(found)
    assert list(bars.rows) == ["annotated", "final", "as first shown"]
    assert bars.captions == {0: "walk = cluster 1", 1: "run = cluster 2", 2: "cluster 5"}
    assert bars.boundaries_s.tolist() == [pytest.approx([560 / 120, 5.0, 640 / 120], abs=1e-5)]
    unlabelled = bars_of(gather_labels(stream(1, 2, late=1), take(), None, "balanced"))
    assert list(unlabelled.rows) == ["final", "as first shown"]


@pytest.mark.data
def test_every_frame_is_labelled_in_time(served: tuple[ServedModel, Inference], replayed: Replayed) -> None:
    model, _ = served
    times = replayed.recording.timestamps_us
    assert (replayed.final > 0).all()
    assert (replayed.first > 0).all()
    waits_s = (replayed.final_us - times) / 1e6
    longest = (model.latency("balanced") + 1) * model.moment_s
    assert waits_s.min() >= 0
    assert waits_s.max() <= longest + 0.01
    assert ((replayed.first_us - times) / 1e6).max() <= model.moment_s + 0.01
    assert (replayed.first_us <= replayed.final_us).all()


@pytest.mark.data
def test_rows_are_the_scores_of_what_the_session_says(
    served: tuple[ServedModel, Inference], start_of_trial_1: tuple[Recording, Annotation], replayed: Replayed
) -> None:
    seen: list[Replayed] = []
    found = evaluate(*served, [start_of_trial_1], ["balanced"], first=True, seen=seen.append)
    assert [(row.recording, row.lag, row.labels) for row in found] == [
        ("start", "balanced", "final"),
        ("start", "balanced", "first"),
    ]
    assert found[0].score == score_replayed(replayed)
    assert found[1].score == score_replayed(replayed, "first")
    assert seen[0].final.tolist() == replayed.final.tolist()
    # chance gives 0
    assert found[0].score.ari > 0.2


@pytest.mark.data
def test_the_mean_of_finals_is_what_a_slow_count_gives(
    served: tuple[ServedModel, Inference], start_of_trial_1: tuple[Recording, Annotation], replayed: Replayed
) -> None:
    recording, annotation = start_of_trial_1
    said = {}
    for came in replay(*served, recording):
        if isinstance(came.event, Label) and came.event.final:
            for seq in range(came.event.start_seq, came.event.end_seq):
                assert seq not in said
                said[seq] = came.event.cluster
    names = annotation.names
    counts: dict[int, dict[str, int]] = {}
    for seq in range(1, len(recording.frames) + 1, 4):
        (name,) = (s.name for s in annotation.segments if s.start < seq <= s.end)
        counts.setdefault(said[seq], dict.fromkeys(names, 0))[name] += 1
    # two actions: the best pair of different clusters, or one cluster alone
    walk, jump = names
    best = max(counts[one][walk] + (counts[two][jump] if two != one else 0) for one in counts for two in counts)
    assert score_replayed(replayed).accuracy == pytest.approx(best / len(range(0, len(recording.frames), 4)))


@pytest.mark.data
def test_a_film_shows_the_embedding_that_the_session_settled_on(
    served: tuple[ServedModel, Inference],
    start_of_trial_1: tuple[Recording, Annotation],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, _ = served
    settled: dict[int, list[float]] = {}

    pushes, estimate_many = itertools.count(), Embedding.estimate_many

    def spy(*seen: Any) -> list[np.ndarray]:
        (estimates,), moment = estimate_many(*seen), next(pushes)
        settled.update({moment - age: point.tolist() for age, point in enumerate(reversed(estimates))})
        return [estimates]

    monkeypatch.setattr(Embedding, "estimate_many", spy)
    replay(*served, start_of_trial_1[0])
    monkeypatch.undo()
    times, points = embed(*served, start_of_trial_1[0])
    assert points.tolist() == [settled[moment] for moment in range(len(settled))]
    assert points.shape == (int(1980 / 120 / model.moment_s), model.dimensions)
    assert np.diff(times / 1e6) == pytest.approx(model.moment_s, abs=0.01)
