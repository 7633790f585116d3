"""`motionscribe simulate`: what is not there. A performer, as a recording with its truth beside it; or a live feed."""

import argparse
import json
from itertools import cycle
from pathlib import Path
from typing import Any

from motionscribe.commands.options import positive, speed, whole
from motionscribe.commands.simulate_feed import simulate_feed
from motionscribe.commands.skeleton import describe
from motionscribe.demo.actions import ACTIONS
from motionscribe.demo.faults import BODY, SENSORS
from motionscribe.demo.performer import BLEND_S, SCRIPT, Performance, perform
from motionscribe.errors import BadFile
from motionscribe.sources import schemes
from motionscribe_models.new_file import new_file
from motionscribe_models.recordings import endings, read_recording
from motionscribe_models.recordings.writing import WRITERS, writer_of
from motionscribe_proto.names import escape

RATE_HZ = 120.0
LONGEST_S = 3600.0
"""An hour takes gigabytes of memory."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    written = " ".join(writer.ending for writer in WRITERS)
    feeds = ", ".join(scheme.name for scheme in schemes.senders())
    parser = commands.add_parser(
        "simulate",
        help="write a synthetic recording, or send a recording as a live feed",
        description=__doc__,
        usage="motionscribe simulate [options] OUT\n       motionscribe simulate [options] FEED[:ADDRESS] FILE ...",
    )
    what = (
        f"a new file, by its ending: {written}; or a feed, one of {feeds}, "
        f"and the recordings to send, one a person: {' '.join(endings())}"
    )
    parser.add_argument("what", nargs="+", metavar="OUT", help=what)
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="another performer (default: %(default)s)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--seconds", type=positive, metavar="S", help="the demo's actions over and over, without its fall"
    )
    length.add_argument(
        "--script",
        type=_script,
        default=SCRIPT,
        metavar="ACTION:SECONDS,...",
        help=f"what is done, of {', '.join(ACTIONS)} (default: the demo's script)",
    )
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="KIND@SECOND:SECONDS",
        help=f"what goes wrong, when, and for how long: {', '.join((*BODY, *SENSORS))}; may be given several times",
    )
    rate = "frames a second (default: 120, of recordings their own)"
    parser.add_argument("--rate", type=positive, metavar="HZ", help=rate)
    parser.add_argument("--speed", type=speed, default=1.0, metavar="N", help="of a feed: times the recording's pace")
    parser.add_argument("--repeat", action="store_true", help="of a feed: over and over, until it is stopped")
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> None:
    """Sends, or prints what the two files hold. They appear when our own reader took the recording."""
    if feed := schemes.parse_sender(args.what[0]):
        simulate_feed(*feed, args)
        return
    if len(args.what) > 1:
        args.parser.error(f"expected one new file, or a feed, got {' '.join(args.what)}")
    output = Path(args.what[0])
    writer = writer_of(output)
    labels = output.with_suffix(".labels.json")
    for path in (output, labels):
        if path.exists():
            raise BadFile(f"expected a new file, got {path}, which exists")
    if not output.parent.is_dir():
        raise BadFile(f"expected a folder for {output}, found none at {output.parent}")
    try:
        script = args.script if args.seconds is None else _script_of(args.seconds)
        performance = perform(script, args.seed, args.rate or RATE_HZ, args.fault)
    except ValueError as error:
        args.parser.error(str(error))
    with new_file(output) as recording, new_file(labels) as truth:
        writer.write(performance.recording, recording)
        written = read_recording(recording)
        truth.write_text(json.dumps(_truth(performance), indent=1) + "\n", encoding="utf-8")
    print(escape(f"{output}: {describe(written)}"))
    print(escape(f"{labels}: {len(performance.segments)} actions, {len(performance.faults)} faults"))


def _truth(performance: Performance) -> dict[str, Any]:
    """Spans are half-open; the first frame is 1, at 0 s."""
    rate_hz = performance.recording.skeleton.rate_hz

    def span(start_seq: int, end_seq: int) -> dict[str, float]:
        return {
            "start_seq": start_seq,
            "end_seq": end_seq,
            "start_s": (start_seq - 1) / rate_hz,
            "end_s": (end_seq - 1) / rate_hz,
        }

    actions = []
    for segment in performance.segments:
        action = {"name": segment.name, **span(segment.start_seq, segment.end_seq)}
        if segment.balance_lost_seq is not None:
            action["balance_lost_seq"] = segment.balance_lost_seq
            action["balance_lost_s"] = (segment.balance_lost_seq - 1) / rate_hz
        actions.append(action)
    faults = [
        {"kind": fault.kind, **span(fault.start_seq, fault.end_seq), "joints": fault.joints}
        for fault in performance.faults
    ]
    return {"name": performance.recording.name, "rate_hz": rate_hz, "actions": actions, "faults": faults}


def _script_of(seconds: float) -> list[tuple[str, float]]:
    """The actions of SCRIPT but the fall, over and over, the last one as long as there is time. Raises ValueError."""
    if not BLEND_S <= seconds <= LONGEST_S:
        raise ValueError(f"expected {BLEND_S} to {LONGEST_S:g} seconds, got {seconds:g}")
    script: list[tuple[str, float]] = []
    actions = cycle(SCRIPT[:-1])
    while seconds > 0:
        name, wanted = next(actions)
        script.append((name, seconds if seconds < wanted + BLEND_S else wanted))
        seconds -= script[-1][1]
    return script


def _script(text: str) -> list[tuple[str, float]]:
    """An argparse type."""
    script = []
    for part in text.split(","):
        name, colon, seconds = part.partition(":")
        if not colon or name not in ACTIONS:
            raise argparse.ArgumentTypeError(f"expected ACTION:SECONDS of {', '.join(ACTIONS)}, got {part!r}")
        script.append((name, _seconds(seconds, part)))
    return script


def _fault(text: str) -> tuple[str, float, float]:
    """An argparse type."""
    kind, _, times = text.partition("@")
    start, colon, length = times.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"expected KIND@SECOND:SECONDS, got {text!r}")
    return kind, _seconds(start, text), _seconds(length, text)


def _seconds(text: str, within: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected seconds, got {text!r} in {within!r}") from None
