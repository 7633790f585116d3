"""Files for annotation programs: ELAN's is read by pympi, which others wrote; BORIS' by the rules that it pairs by."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pympi import Eaf

from motionscribe.cli import main
from motionscribe.events import Anomaly, ClusterMerged, Event, Gap, Label, SegmentEnded
from motionscribe.sinks import JsonLines, read_events, write_boris, write_elan, write_lines


def alarm(number: int, kind: str, start_us: int, end_us: int, ongoing: bool = False) -> Anomaly:
    about = number, ongoing, 1, 2, start_us, end_us, kind
    return Anomaly(*about, "jump", "begun" if ongoing else "ended", 0.025, ("left_wrist",), (6.5,), 0)


STORY: list[Event] = [
    Label(1, 61, 5_000_000, 5_500_000, 1, 0.75, False),
    SegmentEnded(1, 1, "", 1, 241, 5_000_000, 7_000_400),
    SegmentEnded(2, 2, "wave", 241, 361, 7_000_400, 8_000_000),
    alarm(1, "sensor fault", 7_200_000, 7_900_000),
    alarm(2, "motion fault", 7_500_000, 8_500_000),
    Gap(361, 361, 8_000_000, 9_000_000),
    SegmentEnded(3, 1, "", 361, 481, 9_000_000, 9_500_000),
    SegmentEnded(4, 3, "a <b>|c\u202e", 481, 601, 9_500_000, 12_000_000),
    alarm(3, "sensor fault", 11_000_000, 11_500_000, ongoing=True),
]


def saved(path: Path, streams: dict[str, Sequence[Event]]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for stream_id, events in streams.items():
            for event in events:
                JsonLines(file, stream_id).write(event)
    return path


def test_elan_is_read_by_others(tmp_path: Path) -> None:
    write_elan(tmp_path / "gym.eaf", {"gym": STORY})
    eaf = Eaf(str(tmp_path / "gym.eaf"))
    assert list(eaf.get_tier_names()) == ["gym: labels", "gym: sensor fault", "gym: motion fault"]
    assert [annotation[:3] for annotation in eaf.get_annotation_data_for_tier("gym: labels")] == [
        (0, 2000, "cluster 1"),
        (2000, 3000, "wave"),
        (4000, 4500, "cluster 1"),
        (4500, 7000, "a <b>|c\\u202e"),
    ]
    said = "sensor fault in left_wrist (once in 40 h)"
    assert [annotation[:3] for annotation in eaf.get_annotation_data_for_tier("gym: sensor fault")] == [
        (2200, 2900, said)
    ]
    assert ("gym: time zero", "time 0 is 5000000 us of the source's clock") in eaf.properties
    assert 'TIME_UNITS="milliseconds"' in (tmp_path / "gym.eaf").read_text("utf-8")


def test_slots_of_elan_ascend_and_nothing_overlaps_within_a_tier(tmp_path: Path) -> None:
    short: list[Event] = [SegmentEnded(n, n, "", n, n + 1, n * 300, n * 300 + 300) for n in range(1, 20)]
    write_elan(tmp_path / "short.eaf", {"a": STORY, "b": short}, zero_us=1000)
    eaf = Eaf(str(tmp_path / "short.eaf"))
    times = list(eaf.timeslots.values())
    assert times == sorted(set(times))
    assert times[0] >= 0
    assert eaf.get_annotation_data_for_tier("a: labels")[0][:2] == (4999, 6999)
    spans = eaf.get_annotation_data_for_tier("b: labels")
    assert all(start < end for start, end, _ in spans)


@given(st.lists(st.text(), min_size=1, max_size=5), st.text())
def test_elan_holds_any_name(names: list[str], stream_id: str) -> None:
    events = [SegmentEnded(n, n, name, n, n + 1, n * 5000, n * 5000 + 5000) for n, name in enumerate(names, 1)]
    with tempfile.TemporaryDirectory() as folder:
        write_elan(Path(folder) / "any.eaf", {stream_id: events})
        eaf = Eaf(str(Path(folder) / "any.eaf"))
    (tier,) = eaf.get_tier_names()
    assert len(eaf.get_annotation_data_for_tier(tier)) == len(names)


def states_of(observation: dict[str, Any]) -> list[tuple[str, float, float]]:
    """As BORIS pairs them: of one behaviour, the first row starts and the next one stops."""
    begun: dict[str, float] = {}
    states = []
    for time_s, _, code, _, _ in observation["events"]:
        if code in begun:
            states.append((code, begun.pop(code), time_s))
        else:
            begun[code] = time_s
    assert begun == {}
    return sorted(states, key=lambda state: state[1])


def test_boris_pairs_starts_and_stops(tmp_path: Path) -> None:
    touching: list[Event] = [  # two clusters of one name, and one that is called as alarms are
        SegmentEnded(1, 1, "walk", 1, 2, 0, 1_000_000),
        SegmentEnded(2, 2, "walk", 2, 3, 1_000_000, 2_000_000),
        SegmentEnded(3, 3, "alarm: sensor fault", 3, 4, 2_000_000, 3_000_000),
        alarm(1, "sensor fault", 2_500_000, 2_700_000),
    ]
    write_boris(tmp_path / "gym.boris", {"gym": STORY, "gym, run 2": touching})
    project = json.loads((tmp_path / "gym.boris").read_text("utf-8"))
    assert project["project_format_version"] == "7.0"
    observations = project["observations"]
    assert states_of(observations["gym"]) == [
        ("cluster 1", 0.0, 2.0),
        ("wave", 2.0, 3.0),
        ("alarm: sensor fault", 2.2, 2.9),
        ("alarm: motion fault", 2.5, 3.5),
        ("cluster 1", 4.0, 4.5),
        ("a <b>\uff5cc\\u202e", 4.5, 7.0),
    ]
    assert states_of(observations["gym, run 2"]) == [
        ("walk", 0.0, 1.0),
        ("walk", 1.0, 2.0),
        ("cluster alarm: sensor fault", 2.0, 3.0),
        ("alarm: sensor fault", 2.5, 2.7),
    ]
    assert observations["gym"]["description"] == "time 0 is 5000000 us of the source's clock"
    behaviours = project["behaviors_conf"].values()
    used = {row[2] for observation in observations.values() for row in observation["events"]}
    assert {one["code"] for one in behaviours} == used
    assert not any("|" in code for code in used)
    kinds = {one["code"]: one["category"] for one in behaviours}
    assert (kinds["wave"], kinds["alarm: motion fault"]) == ("labels", "alarms")


def test_lines_are_read_back(tmp_path: Path) -> None:
    write_lines(tmp_path / "gym.jsonl", {"gym": STORY})
    assert read_events(tmp_path / "gym.jsonl") == {"gym": STORY}


def test_report_writes_both_with_merges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = saved(tmp_path / "gym.jsonl", {"gym": [*STORY, ClusterMerged(1, 2, 12_000_000)]})
    outputs = ["--elan", str(tmp_path / "gym.eaf"), "--boris", str(tmp_path / "gym.boris")]
    assert main(["report", str(events), *outputs]) == 0
    labels = Eaf(str(tmp_path / "gym.eaf")).get_annotation_data_for_tier("gym: labels")
    assert [annotation[2] for annotation in labels][:3] == ["wave", "wave", "wave"]
    observation = json.loads((tmp_path / "gym.boris").read_text("utf-8"))["observations"]["gym"]
    assert ("wave", 0.0, 2.0) in states_of(observation)
    assert main(["report", str(events), *outputs]) == 1
    assert "expected a new file for --elan" in capsys.readouterr().err
