"""pictures.py: what is said about labels is what is drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.drawn import FINAL, TIMES, bars_of, pixels_of, rgb

from motionscribe_training.data.annotations import find_annotation
from motionscribe_training.evaluation.pictures import (
    COLOURS,
    GREYS,
    colour_of,
    ethogram,
    hatch_of,
    save_ethogram,
)


def test_a_matched_cluster_has_the_tone_of_its_action_and_the_others_are_grey() -> None:
    bars = bars_of()
    assert [piece.tone for piece in bars.rows["annotated"]] == [0, 1, 0]
    assert [piece.tone for piece in bars.rows["final"]] == [0, 1, 2, 0]
    assert bars.captions == {0: "walk = cluster 7", 1: "jump = cluster 4", 2: "cluster 9"}
    assert [colour_of(tone, bars.actions) for tone in range(3)] == [*COLOURS[:2], GREYS[0]]


def test_all_labellings_share_the_tones_of_the_first() -> None:
    late = np.where(np.arange(100) < 10, -1, np.roll(FINAL, 10))
    late[50:60] = 12
    bars = bars_of(predicted={"final": FINAL, "as first shown": late})
    tones = {piece.text: piece.tone for row in ("final", "as first shown") for piece in bars.rows[row]}
    assert tones == {"7": 0, "4": 1, "9": 2, "12": 3}
    # what has no label yet is blank
    assert bars.rows["as first shown"][0].start_s == 1.0


def test_pieces_tile_the_recording_in_seconds() -> None:
    for pieces in bars_of().rows.values():
        ends = [piece.end_s for piece in pieces]
        assert [piece.start_s for piece in pieces] == [0.0, *ends[:-1]]
        assert ends[-1] == pytest.approx(10.0)


def test_without_truth_each_cluster_has_a_colour() -> None:
    bars = ethogram(TIMES, {"final": FINAL}, cluster_names={4: "hop"})
    assert list(bars.rows) == ["final"]
    assert [piece.text for piece in bars.rows["final"]] == ["7", "hop", "9", "7"]
    assert [colour_of(piece.tone, bars.actions) for piece in bars.rows["final"]] == [*COLOURS[:3], COLOURS[0]]
    assert bars.captions[1] == "cluster 4 “hop”"


def test_an_action_that_no_cluster_shows_is_still_explained() -> None:
    bars = bars_of(truth=np.repeat([0, 1], [40, 60]), predicted={"final": np.full(100, 5)})
    assert bars.captions == {0: "walk", 1: "jump = cluster 5"}


def test_many_actions_stay_distinct() -> None:
    looks = {(colour_of(tone, 30), hatch_of(tone, 30)) for tone in range(30)}
    spare = {(colour_of(tone, 30), hatch_of(tone, 30)) for tone in range(30, 50)}
    assert len(looks) == 30
    assert len(spare) == 20
    assert not looks & spare


def test_labels_that_do_not_fit_the_times_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a label for each of 100 times, got 99"):
        bars_of(predicted={"final": FINAL[:-1]})


# ---- the picture ----------------------------------------------------------------------------


def test_the_png_shows_each_action_for_as_long_as_it_lasts(tmp_path: Path) -> None:
    path = tmp_path / "bars.png"
    save_ethogram(path, bars_of(actions=("", "")), "take 1")
    with Image.open(path) as image:
        assert image.size[0] == 1500
    pixels = pixels_of(path)
    # walk, jump and the grey cluster last 50 + 50, 50 + 40 and 10 of a hundred frames
    walk, jump, grey = (pixels[rgb(colour)] for colour in (COLOURS[0], COLOURS[1], GREYS[0]))
    assert walk / jump == pytest.approx(100 / 90, rel=0.08)
    assert grey / jump == pytest.approx(10 / 90, rel=0.35)  # its legend patch counts too


@pytest.mark.data
def test_boundaries_are_shaded_where_annotators_put_them(data_dir: Path, tmp_path: Path) -> None:
    annotation = find_annotation(data_dir / "sub86" / "01.mat")
    assert annotation is not None
    frames = annotation.segments[-1].end
    times = np.rint(np.arange(frames) * 1e6 / 120).astype(np.int64)
    truth = annotation.fitted(frames).labels(frames)
    marks = times[np.array(annotation.boundaries)]
    bars = ethogram(times, {"final": truth}, truth, annotation.names, marks)
    assert bars.boundaries_s[0] == pytest.approx([500 / 120, 550 / 120, 600 / 120], abs=1e-6)
    plain = ethogram(times, {"final": truth}, truth, annotation.names)
    for name, drawn in (("marks", bars), ("plain", plain)):
        save_ethogram(tmp_path / f"{name}.png", drawn)
    with_marks, without = (
        np.asarray(Image.open(tmp_path / f"{name}.png").convert("L"), dtype=int) for name in ("marks", "plain")
    )
    shaded = (with_marks != without).any(axis=0)
    columns = np.flatnonzero(without.min(axis=0) < 250)
    share = shaded.sum() / (columns[-1] - columns[0])
    tolerance = sum(b.latest - b.earliest for b in annotation.boundaries) / frames
    assert share == pytest.approx(tolerance, abs=0.03)


# ---- the film -------------------------------------------------------------------------------
