"""The ethogram, read back as pixels: segments, kinds of anomaly, anomaly scores."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.client.commands.test_report import STORY, anomaly

from motionscribe import errors
from motionscribe.events import Anomaly, AnomalyScores, Degraded, Gap
from motionscribe.sinks import draw_ethogram
from motionscribe_models.errors import MissingExtraError

CALM = [event for event in STORY if not isinstance(event, Anomaly | Degraded | Gap)]


def pixels(path: Path, colour: tuple[int, int, int]) -> int:
    """How many of this colour, more or less."""
    with Image.open(path) as image:
        difference = np.asarray(image.convert("RGB")).astype(int) - colour
    return int((abs(difference).max(axis=2) < 12).sum())


VIOLET, RED, TEAL = (138, 43, 226), (255, 0, 0), (0, 128, 128)
BLUE, ORANGE = (31, 119, 180), (255, 127, 14)  # rows 1 and 2


def test_the_ethogram_shows_segments_in_proportion(tmp_path: Path) -> None:
    draw_ethogram(tmp_path / "calm.png", {"a": CALM})
    blue, orange = pixels(tmp_path / "calm.png", BLUE), pixels(tmp_path / "calm.png", ORANGE)
    assert blue > 3000
    # cluster 1 lasts 2 + 1 s, cluster 2 lasts 1 s
    assert blue / orange == pytest.approx(3.0, rel=0.1)
    draw_ethogram(tmp_path / "story.png", {"a": STORY})
    assert pixels(tmp_path / "story.png", ORANGE) < orange  # the anomaly lies over it
    draw_ethogram(tmp_path / "two.png", {"a": CALM, "b": CALM, "empty": []})
    assert pixels(tmp_path / "two.png", ORANGE) == pytest.approx(2 * orange, rel=0.2)


def test_the_ethogram_tells_kinds_of_anomaly_apart(tmp_path: Path) -> None:
    kinds = {"sensor fault": VIOLET, "motion fault": RED, "new behaviour": TEAL}
    for kind in kinds:
        draw_ethogram(tmp_path / f"{kind}.png", {"a": [*CALM, anomaly(330, "ended", 0.1, kind)]})
        assert [pixels(tmp_path / f"{kind}.png", colour) > 0 for colour in kinds.values()] == [k == kind for k in kinds]
    draw_ethogram(tmp_path / "newer.png", {"a": [*CALM, anomaly(330, "ended", 0.1, "$\\frac$")]})


def test_anomaly_scores_are_drawn_below_the_ethogram_the_least_normal_highest(tmp_path: Path) -> None:
    def drawn(name: str, values: dict[int, float]) -> Path:
        scores = [AnomalyScores(n, n + 1, n * 100_000, (n + 1) * 100_000, v, 20.0, 2e3) for n, v in values.items()]
        draw_ethogram(tmp_path / f"{name}.png", {"a": [*STORY, *scores], "b": STORY})
        return tmp_path / f"{name}.png"

    def height(path: Path) -> float:
        """Mean row of the first series, from the top."""
        with Image.open(path) as image:
            rows = np.asarray(image.convert("RGB")).astype(int)[image.height // 4 :]
        return float(np.nonzero((abs(rows - VIOLET).max(axis=2) < 40).any(axis=1))[0].mean())

    with Image.open(drawn("whole", dict.fromkeys(range(10, 70), 2e4))) as whole:
        draw_ethogram(tmp_path / "none.png", {"a": STORY, "b": STORY})
        with Image.open(tmp_path / "none.png") as without:
            assert whole.height > without.height + 150
    assert height(drawn("calm", dict.fromkeys(range(10, 70), 2e4))) > height(
        drawn("odd", dict.fromkeys(range(10, 70), 0.2))
    )
    scores = [AnomalyScores(n, n + 1, n * 100_000 + 9, (n + 1) * 100_000, 2e4, 20.0, 2e3) for n in range(10, 70)]
    draw_ethogram(tmp_path / "jitter.png", {"a": [*STORY, *scores], "b": STORY})  # ends are guesses: it is one line
    assert pixels(tmp_path / "jitter.png", TEAL) == pixels(tmp_path / "calm.png", TEAL)
    broken = drawn("broken", dict.fromkeys([*range(10, 30), *range(50, 70)], 2e4))
    assert pixels(broken, TEAL) < pixels(tmp_path / "calm.png", TEAL)
    drawn("zero", dict.fromkeys(range(10, 70), 0.0))


def test_nothing_to_draw_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.BadEventsFile, match="expected ended segments"):
        draw_ethogram(tmp_path / "x.png", {"a": STORY[:2]})
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[report\]"'):
        draw_ethogram(tmp_path / "x.png", {"a": STORY})
