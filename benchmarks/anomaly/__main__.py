"""Alarms: `python -m benchmarks.anomaly` runs the commands of this folder one after another.

Each part is a command of its own (`python -m benchmarks.anomaly.PART`), whose docstring says what is measured; it puts
its rows into results.json beside this file. Minutes of one core, training included, of models that are then kept:

    faults        45, of which 17 train six models; --models runs one of both
    false_alarms  1, after faults has trained its models
    unseen        33, of which 32 train nine models
    falls         2
    skab          see there
    cost          1

There is no point-adjusted F1: it rewards chance (Kim et al. 2022, https://doi.org/10.1609/aaai.v36i7.20680).
"""

from benchmarks.parts import run_parts

PARTS = {
    "faults": "injected faults, ours and baselines",
    "false_alarms": "alarms on normal motion over those that were expected",
    "unseen": "actions that were left out of training",
    "falls": "falls of the synthetic performer",
    "skab": "valves of a water rig",
    "cost": "microseconds of a server",
}
"""What each measures, by the name of its file."""
NEED_DATA = ("faults", "false_alarms", "unseen", "skab")

if __name__ == "__main__":
    run_parts("anomaly", __doc__, PARTS, NEED_DATA)
