"""`motionscribe doctor`: listens to a feed, or reads a recording, and says what is wrong with it and what to change."""

import argparse
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from motionscribe.commands.options import add_joints, positive
from motionscribe.commands.skeleton import read_aloud
from motionscribe.sources import schemes
from motionscribe.sources.diagnosis import Finding, diagnose, unjudged
from motionscribe.sources.hearing import claimed_hz, hear, nothing_came
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.takes import Takes
from motionscribe_models.body.own_names import read_own_names, renamed
from motionscribe_models.recordings import Recording, endings
from motionscribe_models.recordings.npz import read_take
from motionscribe_models.recordings.take import Take
from motionscribe_proto.names import escape

PATIENCE_S = 10.0
"""How long somebody is waited for."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("doctor", help="say what is wrong with a feed", description=__doc__)
    what = f"{schemes.describe(live=True)}; or a recording: {' '.join(endings())}"
    parser.add_argument("source", metavar="FEED", help=what)
    parser.add_argument(
        "--seconds", type=positive, default=10.0, metavar="S", help="how long to listen (default: %(default)g)"
    )
    parser.add_argument("--rate", type=positive, metavar="HZ", help="the rate that it should have, if it says none")
    add_joints(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints what was found of each person; 1 where that is something. Raises NotFound where nobody came."""
    scheme, address = schemes.parse_address(args.source)
    heard: list[tuple[Take | Recording, float | None]]
    unit = "microseconds"
    if scheme.live:
        takes, rate_hz, unit = listen(scheme, address, args.seconds)
        heard = [(take, rate_hz) for take in takes]
    else:
        read = read_take(Path(address)) or read_aloud(Path(address))
        heard = [(read, read.skeleton.rate_hz)]
    names = read_own_names(args.joints) if args.joints else {}
    found = 0
    for one, rate_hz in heard:
        findings = diagnose(
            renamed(one.skeleton, names) if names else one.skeleton,
            one.frames,
            one.times_us if isinstance(one, Take) else one.timestamps_us,
            arrived_us=one.arrived_us if isinstance(one, Take) else None,
            confidences=one.confidences,
            claimed_hz=args.rate or rate_hz,
            time_unit=unit,
        )
        _print(one, findings)
        found += len(findings)
    return 1 if found else 0


def listen(scheme: schemes.Scheme, address: str, seconds: float) -> tuple[list[Take], float | None, str]:
    """What comes of each person in so many seconds from the first of them on; the sender's rate and unit of time.

    Raises NotFound where nobody comes in PATIENCE_S, and what the feed raises.
    """
    feed = scheme.open(address)
    takes = Takes(scheme.name, several=isinstance(feed, LiveFeed) and feed.several)
    end_s, begun = time.monotonic() + PATIENCE_S, False
    with closing(hear(feed)) as moments:
        for moment in moments:
            if moment:
                takes.take(moment)
            if moment and moment.bodies and not begun:
                end_s, begun = time.monotonic() + seconds, True
            if time.monotonic() >= end_s:
                break
    heard = list(takes.pop(claimed_hz(feed)).values())
    if not heard:
        raise nothing_came(feed)
    return heard, claimed_hz(feed), feed.time_unit


def _print(one: Take | Recording, findings: list[Finding]) -> None:
    times_us = one.arrived_us if isinstance(one, Take) else one.timestamps_us
    span_s = float(np.ptp(times_us)) / 1e6
    rate = f", {(len(times_us) - 1) / span_s:.1f} Hz" if span_s else ""
    joints = f"{len(one.skeleton.joints)} joints, {one.skeleton.representation}"
    print(escape(f"{one.name}: {joints}, {len(times_us)} frames in {span_s:.1f} s{rate}"))
    for finding in findings:
        print(escape(f"{finding.fault}: {finding.evidence}"))
        print(escape(f"  to do: {finding.advice}"))
    if not findings:
        print("no fault found")
    for reason in unjudged(one.skeleton, one.arrived_us if isinstance(one, Take) else None):
        print(f"not judged: {reason}")
