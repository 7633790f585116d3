"""The benchmarks of alarms count what they say: intervals, hits, alarms, and what baselines make of the obvious."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.anomaly import __main__ as everything
from benchmarks.anomaly.actions import ACTIONS, action_of, actions_at
from benchmarks.anomaly.baselines import BASELINES, Calm, calibrate
from benchmarks.anomaly.false_alarms import Tally
from benchmarks.anomaly.folds import KINDS, Judged, begins_s
from benchmarks.anomaly.hits import Found, rows_of
from benchmarks.anomaly.intervals import poisson_ratio, share
from benchmarks.anomaly.seen import Seen
from benchmarks.anomaly.unseen import Noticed
from benchmarks.anomaly.unseen import rows_of as rows_of_unseen
from benchmarks.blind.folds import singles_without
from tests.test_docs import ROOT

from motionscribe_models.arrays import Array
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.recordings.skeletons import CMU_EXPMAP
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_training.data.annotations import Annotation, Boundary, Segment
from motionscribe_training.faults.inject import Injected

MOMENT_S = 0.1
MOMENTS = 300
ENDS_S: Array = MOMENT_S * np.arange(1.0, MOMENTS + 1)
NOTHING = Seen(np.zeros((0, 0)), np.zeros((0, 0)), np.zeros(0))
RECORDING = Recording("made up", np.zeros((3600, 96), np.float32), even_times(3600, 120.0), CMU_EXPMAP)


def judged(rarest: dict[tuple[int, int], float], kind: int = 1, anomalies: list[Anomaly] | None = None) -> Judged:
    """Everything is normal, but for some moments."""
    rates = np.full((MOMENTS, len(KINDS)), 1000.0)
    for (start, end), rate in rarest.items():
        rates[start:end, kind] = rate
    return Judged(ENDS_S, rates, anomalies or [], NOTHING)


def test_poisson_intervals_are_exact() -> None:
    nothing = poisson_ratio(0, 1.0)
    assert (nothing["value"], nothing["low"], nothing["n"]) == (0, 0, 0)
    assert nothing["high"] == pytest.approx(3.689, abs=1e-3)
    ten = poisson_ratio(10, 5.0)
    assert (ten["value"], ten["n"]) == (2, 10)
    assert (ten["low"], ten["high"]) == pytest.approx((4.795 / 5, 18.39 / 5), abs=1e-3)


def test_shares_have_exact_intervals() -> None:
    found = share([True] * 7 + [False] * 3)
    assert (found["value"], found["n"]) == (0.7, 10)
    assert (found["low"], found["high"]) == pytest.approx((0.348, 0.933), abs=1e-3)
    assert share([True] * 4)["high"] == 1


def test_rare_moments_near_each_other_are_one_alarm() -> None:
    rare = np.zeros(MOMENTS, bool)
    rare[[10, 11, 25, 100]] = True
    assert begins_s(ENDS_S, rare) == pytest.approx([1.1, 10.1])
    assert len(begins_s(ENDS_S, np.zeros(MOMENTS, bool))) == 0


def test_a_fault_is_found_from_its_beginning_until_two_seconds_after_it() -> None:
    fault = Injected(RECORDING, 1200, 1560, ("lradius",))  # 10 s to 13 s
    named = Anomaly(1, False, 1210, 1300, 0, 0, "motion fault", "misfit", "ended", 2.0, ("left_wrist",), (4.0,), 0)
    found = {"swap": Found(), "drift": Found(), "jump": Found()}
    found["swap"].add(fault, judged({(105, 120): 2.0}, anomalies=[named]), 120.0)
    found["swap"].add(fault, judged({(145, 149): 20.0}), 120.0)
    found["drift"].add(fault, judged({(95, 99): 0.1, (152, 160): 0.1}), 120.0)
    rows = rows_of(found)
    assert rows["swap/auc"]["value"] == pytest.approx(0.625, abs=0.01)
    assert [rows[f"swap/detected_{budget}"]["value"] for budget in ("05h", "6h", "60h")] == [0, 0.5, 1]
    assert rows["swap/delay_s"]["value"] == pytest.approx(0.6)
    assert rows["swap/named"] == share([True])
    assert rows["drift/detected_60h"]["value"] == 0
    assert rows["drift/auc"]["value"] < 0.5
    assert rows["all/detected_6h"] == share([True, False, False])
    assert rows["all/auc"]["value"] == pytest.approx(
        (rows["swap/auc"]["value"] + rows["drift/auc"]["value"]) / 2, abs=1e-3
    )
    assert rows["swap/vus_pr"]["value"] > rows["all/vus_pr"]["value"] > rows["drift/vus_pr"]["value"]
    assert not any(row.startswith("jump/") for row in rows)  # none had room


def test_false_alarms_are_counted_against_the_budget_of_each_kind() -> None:
    tally = Tally()
    for kind in KINDS:
        rates = np.full(MOMENTS, 1000.0)
        if kind is Kind.MOTION:
            rates[50:60], rates[200] = 3.0, 30.0
        counts = np.ones(MOMENTS, bool)
        tally.add(kind, ENDS_S, rates, counts if kind is not Kind.BEHAVIOUR else ~counts, MOMENT_S)
    rows = tally.rows()
    hour = MOMENTS * MOMENT_S / 3600
    assert rows["6h/ratio"] == poisson_ratio(1, 2 * 6 * hour)
    assert rows["60h/ratio"] == poisson_ratio(2, 2 * 60 * hour)
    assert rows["60h/motion_fault/ratio"] == poisson_ratio(2, 60 * hour)
    assert rows["05h/alarms"]["value"] == 0
    assert "05h/ratio" not in rows  # nothing can be said of it


def test_without_motion_that_counts_there_is_no_ratio() -> None:
    assert "6h/ratio" not in Tally().rows()


def test_behaviour_is_noticed_where_an_alarm_begins_in_it() -> None:
    cuts = [0, 1200, 2400, 3600]
    annotation = Annotation(
        tuple(Segment(a, b, name) for a, b, name in zip(cuts, cuts[1:], ("walk", "run", "leg_kick"), strict=False)),
        tuple(Boundary(cut - 24, cut, cut + 24) for cut in cuts[1:3]),
    )
    assert actions_at(annotation, RECORDING, ENDS_S[[0, 99, 100, 299]]) == ["walk", "walk", "run", "kick"]
    behaviour = KINDS.index(Kind.BEHAVIOUR)
    early, late, other = Noticed(), Noticed(), Noticed()
    early.add("run", {"walk"}, judged({(110, 190): 1.0}, behaviour), annotation, RECORDING)
    late.add("run", {"walk"}, judged({(30, 40): 1.0, (130, 190): 1.0}, behaviour), annotation, RECORDING)
    other.add("kick", {"walk"}, judged({(110, 190): 1.0}, behaviour), annotation, RECORDING)
    assert early.delays == pytest.approx([1.1])
    assert late.delays == pytest.approx([3.1])
    assert other.delays == []  # what comes before it is unseen, too
    assert early.auroc() == pytest.approx(0.9)
    assert early.auroc() > late.auroc()
    rows = rows_of_unseen({"run": early, "jump": late, "kick": other})
    assert rows["unseen/detected_2s"] == share([True, False])
    assert rows["unseen/detected"] == share([True, True])
    assert rows["unseen/auroc"]["n"] == 3
    assert "unseen/kick/detected_2s" not in rows


def test_no_name_of_an_annotator_stands_for_two_actions() -> None:
    names = [name for action in ACTIONS.values() for name in action.names]
    assert len(set(names)) == len(names)
    assert action_of("jump_forward") == "jump"
    assert action_of("standing") == "standing"


def test_single_actions_are_left_out_by_name(tmp_path: Path) -> None:
    for name in ("cmu_amc/01_01.amc", "cmu_amc/02_05.amc", "cmu8/running_1.txt", "cmu8/walking_1.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1,2,3\n", "utf-8")
    kept = singles_without("body", ("01", "mocap6", "running_*", "02_05"), tmp_path)
    names = {folder: [path.stem for path in paths] for folder, paths in kept.items()}
    assert names == {"cmu8": ["walking_1"], "cmu_amc": ["01_01"]}
    assert singles_without("cmu-expmap", ("01_*",), tmp_path) == {"cmu_amc": [tmp_path / "cmu_amc" / "02_05.amc"]}


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_finds_the_obvious_and_keeps_to_its_budget_in_normal_motion(name: str) -> None:
    rng = np.random.default_rng(0)

    def motion(seed: int) -> Seen:
        steps = np.random.default_rng(seed).normal(size=(400, 80)) @ np.diag(np.linspace(3, 0.2, 80))
        return Seen(steps, steps[:, :6], np.square(steps).mean(axis=1))

    fit = BASELINES[name]
    rates = calibrate(fit, [Calm(motion(seed), rng.random(400) < 0.9) for seed in range(8)], MOMENT_S)
    normal = motion(8)
    odd = replace(normal, inputs=normal.inputs + 0, embeddings=normal.embeddings + 0, errors=normal.errors + 0)
    odd.inputs[200:230] += 9
    odd.embeddings[200:230] += 30
    odd.errors[200:230] += 90
    found = rates(odd)
    assert found.shape == (400,)
    assert found[205:230].max() < np.quantile(found[:190], 0.05)
    assert (rates(normal) < 60).mean() < 0.05
    assert np.array_equal(rates(normal)[:200], found[:200])  # nothing is known before it comes


def test_every_part_is_a_command_and_says_what_it_takes() -> None:
    for part in everything.PARTS:
        assert (ROOT / "benchmarks" / "anomaly" / f"{part}.py").is_file()
        assert f"    {part} " in (everything.__doc__ or "")
    assert {*everything.NEED_DATA} <= {*everything.PARTS}
