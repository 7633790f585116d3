"""Are falls noticed, and how soon? `python -m benchmarks.anomaly.falls`.

The synthetic performer (nobody was recorded) falls in four ways, as each of twenty people; the shipped body model,
which has never seen the performer, watches with a budget of half a false alarm an hour for each kind. A fall is found
where an anomaly begins after balance is lost, which is known by construction. Those that begin earlier are false
alarms. Prints a table and puts its rows into results.json beside this file.
"""

import argparse

from benchmarks.anomaly.folds import Judge
from benchmarks.blind.folds import ROOT
from benchmarks.results import exactly, quartiles, save
from motionscribe.demo.performer import perform

BEFORE = (("idle", 4.0), ("walk", 8.0), ("wave", 5.0), ("squat", 6.0), ("walk", 6.0))
FALLS = ("fall", "fall_backwards", "fall_sideways", "collapse")
FALL_S = 4.0
SEEDS = 20
BUDGET = 0.5


def main() -> None:
    """Acts, judges, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="people")
    options = parser.parse_args()
    judge = Judge(ROOT / "models" / "body" / "1")
    rows, everything, early, seconds = {}, list[float](), 0, 0.0
    for fall in FALLS:
        delays = []
        for seed in range(options.seeds):
            played = perform((*BEFORE, (fall, FALL_S)), seed)
            lost_seq = played.segments[-1].balance_lost_seq or 0
            lost_us = int(played.recording.timestamps_us[lost_seq - 1])
            begins = [anomaly.start_us for anomaly in judge.judge(played.recording, BUDGET).anomalies]
            late = [us for us in begins if us >= lost_us]
            early += len(begins) - len(late)
            if late:
                delays.append((min(late) - lost_us) / 1e6)
            seconds += lost_us / 1e6
        rows[f"falls/{fall}/detected"] = exactly(len(delays))
        if delays:
            rows[f"falls/{fall}/delay_s"] = quartiles(delays)
        everything += delays
    rows["falls/detected"] = exactly(len(everything))
    rows["falls/of"] = exactly(options.seeds * len(FALLS))
    rows["falls/delay_s"] = quartiles(everything)
    rows["falls/false_alarms"] = exactly(early)
    rows["falls/normal_s"] = exactly(round(seconds))
    save(__file__, "falls", rows)


if __name__ == "__main__":
    main()
