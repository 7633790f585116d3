"""`motionscribe report --html`: a page with the segments of a saved stream and why they have their labels."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from motionscribe.cli import main
from motionscribe.explanations import Explanation
from motionscribe_proto.events import Anomaly, Event, SegmentEnded, to_dict
from motionscribe_proto.weights import JointWeight, PartWeight

EVIL = '<script>alert("1")</script>'
SEGMENTS = [
    SegmentEnded(1, 3, EVIL, 1, 91, 5_000_000, 8_000_000),
    SegmentEnded(2, 4, "", 91, 121, 8_000_000, 9_000_000),
]
FALL = Anomaly(1, False, 1, 4, 6_000_000, 7_000_000, "motion fault", "imbalance", "ended", 0.025, (), (), 3)
WHY = Explanation(
    *(1, 3, EVIL, 5_000_000, 8_000_000, 1.2, 4, ""),
    joints=(JointWeight("left wrist", 0.5, 4), JointWeight("head", 0.25, 3), JointWeight("hip", -0.1, 3)),
    parts=(PartWeight(5_000_000, 8_000_000, 0.1, 3),),
)


def saved(folder: Path, *events: Event) -> str:
    path = folder / "gym.jsonl"
    path.write_text("".join(json.dumps({"stream": "gym", **to_dict(event)}) + "\n" for event in events))
    return str(path)


def explained(folder: Path, *explanations: Explanation) -> str:
    path = folder / "why.jsonl"
    path.write_text("".join(json.dumps({"stream": "gym", **asdict(one)}) + "\n\n" for one in explanations))
    return str(path)


def test_a_page_has_segments_alarms_and_reasons(tmp_path: Path) -> None:
    newest = replace(WHY, joints=(JointWeight("right knee", 0.75, 4), *WHY.joints[1:]))
    another_run = replace(WHY, start_us=50_000_000)
    page = tmp_path / "gym.html"
    events, why = saved(tmp_path, *SEGMENTS, FALL), explained(tmp_path, WHY, newest, another_run)
    assert main(["report", events, "--html", str(page), "--explanations", why]) == 0
    text = page.read_text("utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "right knee 0.75" in text
    assert "0.0 to 3.0 s: <span" in text
    assert "left wrist" not in text, "an explanation that came later takes its place"
    assert "hip" not in text, "it spoke against the label"
    assert "<td>0.0 to 3.0 s</td>" in text
    assert "<td>cluster 4</td>" in text
    assert "motion fault: 1.0 to 2.0 s, imbalance" in text
    assert 'src="data:image/png;base64,' in text
    assert "http" not in text.replace("http-equiv", "")
    assert main(["report", events, "--html", str(page)]) == 1, "a file that exists is not replaced"


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        '{"stream": "gym"}',
        json.dumps({"stream": 1, **asdict(WHY)}),
        json.dumps({"stream": "gym", **asdict(WHY), "joints": [{"joint": "x"}]}),
        "no JSON",
    ],
)
def test_what_is_no_explanation_is_refused_with_its_line(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    why = tmp_path / "why.jsonl"
    why.write_text(f"\n{line}\n")
    page = tmp_path / "gym.html"
    assert main(["report", saved(tmp_path, *SEGMENTS), "--html", str(page), "--explanations", str(why)]) == 1
    assert "why.jsonl, line 2: expected what explain --json printed" in capsys.readouterr().err
    assert not page.exists()


def test_explanations_that_nothing_shows_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events, why = saved(tmp_path, *SEGMENTS), explained(tmp_path, WHY)
    assert main(["report", events, "--explanations", why]) == 1
    assert "expected --html with --explanations" in capsys.readouterr().err
    Path(why).write_text(Path(why).read_text().replace('"gym"', '"other"'))
    assert main(["report", events, "--explanations", why, "--html", str(tmp_path / "a.html")]) == 0
    assert "no explanation is of gym" in capsys.readouterr().err


def test_a_page_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", saved(tmp_path, FALL), "--html", str(tmp_path / "gym.html")]) == 1
    assert "expected ended segments to report, got none" in capsys.readouterr().err
