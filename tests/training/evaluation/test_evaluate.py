"""evaluate.py: from events to scores by hand-made streams, and the whole command on a small model."""

import argparse
import itertools
import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motionscribe_models.errors import ModelFolderError, RecordingError
from motionscribe_models.recordings import CMU_EXPMAP, Recording, even_times, read_recording, write_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import ClusterCreated, Label, SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.embedding import Embedding
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.replay import Emitted, replay
from motionscribe_training.data.annotations import Annotation, Boundary, Segment, find_annotation
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.command import add_arguments, main
from motionscribe_training.evaluation.evaluate import (
    Replayed,
    bars_of,
    embed,
    evaluate,
    gather_labels,
    replay_recording,
    score_replayed,
)
from motionscribe_training.evaluation.table import Row, manifest_metrics, mean_rows, numbers, table

HALVES = Annotation((Segment(0, 600, "walk"), Segment(600, 1200, "run")), (Boundary(560, 600, 640),))


def take(frames: int = 1200) -> Recording:
    """Ten seconds at 120 Hz in which nobody moves."""
    return Recording("take", np.zeros((frames, CMU_EXPMAP.width), np.float32), even_times(frames, 120), CMU_EXPMAP)


def label(start: int, end: int, cluster: int, final: bool = True) -> Label:
    """Frames [start, end), counted from 1."""
    times = even_times(end, 120)
    return Label(start, end, int(times[start - 1]), int(times[end - 1]), cluster, 1.0, final)


def stream(*clusters: int, late: int) -> list[Emitted]:
    """Moments of 12 frames, each shown at once as cluster 5, and final `late` moments later as `clusters` say."""
    spans = [(1 + 12 * i, 13 + 12 * i) for i in range(len(clusters))]
    emitted: list[Emitted] = []
    for now in range(len(clusters) + late):
        time_us = 100_000 * min(now + 1, len(clusters))
        if now >= late:
            emitted.append(Emitted(time_us, label(*spans[now - late], clusters[now - late])))
        if now < len(clusters):
            emitted.append(Emitted(time_us, label(*spans[now], 5, final=False)))
    return emitted


# ---- from events to labels ------------------------------------------------------------------


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


# ---- what is printed ------------------------------------------------------------------------


def rows() -> list[Row]:
    good = gather_labels(stream(*[1] * 50, *[2] * 50, late=10), take(), HALVES, "balanced")
    poor = gather_labels(stream(*[1] * 100, late=10), take(), HALVES, "balanced")
    return [
        Row("take", "balanced", "final", score_replayed(good)),
        Row("a-take-with-a-long-name", "balanced", "final", score_replayed(poor)),
        Row("take", "balanced", "first", score_replayed(good, "first")),
    ]


def test_the_table_has_a_line_for_each_row_and_mean() -> None:
    lines = table(rows()).splitlines()
    heading = lines[0].split()
    cells = [dict(zip(heading, line.split(), strict=True)) for line in lines[1:6]]
    assert [(c["recording"], c["labels"]) for c in cells] == [
        ("take", "final"),
        ("a-take-with-a-long-name", "final"),
        ("take", "first"),
        ("mean", "final"),
        ("mean", "first"),
    ]
    assert [c["acc"] for c in cells] == ["1.000", "0.500", "0.500", "0.750", "0.500"]
    assert [c["delay"] for c in cells] == ["1.10", "never", "never", "never", "never"]
    assert [c["p95"] for c in cells] == ["1.10", "-", "-", "1.10", "-"]
    assert len({len(line) for line in lines[:6]}) == 1


def test_what_is_infinite_or_undefined_is_left_out_of_json_and_manifest() -> None:
    means = mean_rows(rows())
    assert math.isinf(means[0].score.delay_median_s or 0)
    assert "delay_median_s" not in numbers(means[0].score)
    assert numbers(means[0].score)["never_found"] == 0.5
    metrics = manifest_metrics(rows())
    assert metrics["balanced.accuracy"] == 0.75
    assert all(name.startswith("balanced.") and math.isfinite(value) for name, value in metrics.items())
    json.dumps(metrics, allow_nan=False)


def test_bars_show_truth_final_and_first_labels() -> None:
    found = gather_labels(stream(*[1] * 50, *[2] * 50, late=10), take(), HALVES, "balanced")
    bars = bars_of(found)
    assert list(bars.rows) == ["annotated", "final", "as first shown"]
    assert bars.captions == {0: "walk = cluster 1", 1: "run = cluster 2", 2: "cluster 5"}
    assert bars.boundaries_s.tolist() == [pytest.approx([560 / 120, 5.0, 640 / 120], abs=1e-5)]
    unlabelled = bars_of(gather_labels(stream(1, 2, late=1), take(), None, "balanced"))
    assert list(unlabelled.rows) == ["final", "as first shown"]


# ---- through a model ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def start_of_trial_1(data_dir: Path) -> tuple[Recording, Annotation]:
    """The first 16.5 s of subject 86, trial 01: walk, jump forward, walk."""
    whole, annotation = read_recording(data_dir / "sub86" / "01.mat"), find_annotation(data_dir / "sub86" / "01.mat")
    assert annotation is not None
    start = Recording("start", whole.frames[:1980], whole.timestamps_us[:1980], whole.skeleton)
    return start, Annotation(annotation.segments[:3], annotation.boundaries[:2])


@pytest.fixture(scope="module")
def served(tiny_model: Path) -> tuple[ServedModel, Inference]:
    bundle = read_bundle(tiny_model)
    return ServedModel(bundle), Inference(bundle, batch_sizes=(1,))


@pytest.fixture(scope="module")
def replayed(served: tuple[ServedModel, Inference], start_of_trial_1: tuple[Recording, Annotation]) -> Replayed:
    return replay_recording(*served, *start_of_trial_1, "balanced")


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


# ---- the command ----------------------------------------------------------------------------


def run(arguments: Sequence[object]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    main(parser.parse_args([str(argument) for argument in arguments]))


@pytest.mark.data
def test_the_command_scores_saves_and_draws(
    tiny_model: Path,
    start_of_trial_1: tuple[Recording, Annotation],
    replayed: Replayed,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recording, annotation = start_of_trial_1
    write_recording(recording, tmp_path / "start.npz")
    lines = [f"{start + 1},{end + 1},{name}" for start, end, name in annotation.segments]
    (tmp_path / "start.csv").write_text("\n".join(["start_seq,end_seq,name", *lines]))
    model = shutil.copytree(tiny_model, tmp_path / "model")
    picture, film = tmp_path / "new" / "bars.png", tmp_path / "new" / "film.gif"
    run([model, tmp_path / "start.npz", "--json", "--save", "--picture", picture, "--video", film, "--seconds", 0.2])

    printed = json.loads(capsys.readouterr().out)
    (row,) = printed["rows"]
    expected = numbers(score_replayed(replayed))
    del expected["boundary_f1"]  # a CSV has no tolerance
    assert {name: row[name] for name in expected} == expected
    assert "boundary_f1" not in row
    manifest = read_bundle(model).manifest
    assert manifest.metrics["balanced.accuracy"] == expected["accuracy"]
    assert manifest.training["evaluated_on"] == ["start"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert film.read_bytes().startswith(b"GIF89a")


@pytest.mark.data
def test_several_recordings_have_a_picture_each_and_those_without_truth_are_named(
    tiny_model: Path, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = read_recording(data_dir / "sub86" / "01.mat")
    for name in ("walk_1", "walk_2"):
        write_recording(
            Recording(name, short.frames[:400], short.timestamps_us[:400], short.skeleton), tmp_path / f"{name}.npz"
        )
    (tmp_path / "walk_1.csv").write_text("start_seq,end_seq,name\n1,401,walk\n")
    run([tiny_model, tmp_path, "--lag", "fast", "stable", "--picture", tmp_path / "pictures" / "bars.png"])
    printed = capsys.readouterr()
    assert [line.split()[:2] for line in printed.out.splitlines()[1:5]] == [
        ["walk_1", "fast"],
        ["walk_1", "stable"],
        ["mean", "fast"],
        ["mean", "stable"],
    ]
    assert "walk_2.npz: no annotation, left out" in printed.err
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == ["bars-walk_1-fast.png", "bars-walk_1-stable.png"]


@pytest.mark.data
def test_what_cannot_be_evaluated_is_said(tiny_model: Path, data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"with an annotation, got none in .*01_01\.amc"):
        run([tiny_model, data_dir / "cmu_amc" / "01_01.amc"])
    with pytest.raises(TrainingError, match=r"running_1: expected frames of 96 columns \(.*\), got 117"):
        run([tiny_model, data_dir / "cmu8" / "running_1.txt"])
    with pytest.raises(TrainingError, match=r"got \.avi"):
        run([tiny_model, data_dir / "cmu8" / "running_1.txt", "--video", tmp_path / "film.avi"])
    with pytest.raises(ModelFolderError, match=r"manifest\.json"):
        run([tmp_path, data_dir / "sub86" / "01.mat"])
