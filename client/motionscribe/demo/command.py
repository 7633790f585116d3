"""`motionscribe demo`: server, synthetic performance, live labels, and how they compare with the truth.

Starts a server of the shipped model, lets the synthetic performer act (nobody was recorded), streams that as any
client would, shows labels while they come, then puts the segments beside the truth and saves a picture of both. Exit
status 0 when accuracy and anomaly are as they should be, 1 with what is missing.
"""

import argparse
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from motionscribe.async_client import LAGS
from motionscribe.client import Client, Stream
from motionscribe.demo.performer import Performance, perform
from motionscribe.demo.picture import save_picture
from motionscribe.demo.score import anomalies_in, frames_by_action, score
from motionscribe.demo.server import MODEL, serve
from motionscribe.events import Anomaly, Event, Label, SegmentEnded
from motionscribe_models.errors import MissingExtraError

# beside client/ in a checkout, which an editable install leads back to
SHIPPED = Path(__file__).parents[2] / "models"
# the accuracy below which something is broken
ENOUGH = 0.8
# times real time: labels can still be followed by eye
SPEED = 8.0
# what is scored are final segments; performers 0 to 4 reach 0.85 to 0.88
LAG = "stable"
PICTURES = (".png", ".svg", ".pdf")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo; returns the exit status. Raises MissingExtraError, UnknownModelError, MotionscribeError."""
    options = _parser().parse_args(arguments)
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtraError("server-cpu", "the demo")

    console = Console(highlight=False)
    performance = perform(seed=options.seed)
    truth = performance.segments
    console.print(
        f"Synthetic motion of performer {options.seed}, {len(performance.recording.frames)} frames made up by a "
        f"program: {', '.join(dict.fromkeys(segment.name for segment in truth))}. The model has never seen it, and is "
        "not told how many actions there are."
    )
    with (
        serve(options.models) as address,
        Client(address) as client,
        client.stream(performance.recording, lag=options.lag, realtime=1.0 if options.realtime else SPEED) as stream,
    ):
        model = stream.opened.model
        console.print(
            f"{model.name}/{model.version} as {model.variant} on {model.provider}, serving at {address}; labels are "
            f"final after {stream.opened.latency_us / 1e6:.1f} s of motion ({options.lag})\n"
        )
        events = follow(stream, console)

    found = [event for event in events if isinstance(event, SegmentEnded)]
    anomalies = [event for event in events if isinstance(event, Anomaly) and not event.ongoing]
    result = score(truth, found)
    console.print(compare(performance, found, result.names))
    for anomaly in anomalies:
        console.print(f"{_span(anomaly)}  anomaly {anomaly.score:.2f}: {', '.join(anomaly.joints[:4])}")
    save_picture(options.picture, performance, events, result.names)
    noticed = anomalies_in(truth[-1], anomalies)
    console.print(
        f"\naccuracy {result.accuracy:.3f}: of all frames, with {len(result.names)} of "
        f"{len({segment.cluster for segment in found})} clusters named, one for each action\n"
        f"anomalies: {len(noticed)} in the {truth[-1].name} at the end, {len(anomalies) - len(noticed)} elsewhere\n"
        f"picture: {options.picture}"
    )
    missing = shortfalls(result.accuracy, len(noticed))
    for text in missing:
        print(f"motionscribe demo: expected {text}", file=sys.stderr)
    return 1 if missing else 0


def shortfalls(accuracy: float, noticed: int) -> list[str]:
    """What a working installation would have done, and what came; `noticed` counts anomalies in the fall."""
    wrong = [] if accuracy >= ENOUGH else [f"an accuracy of at least {ENOUGH}, got {accuracy:.3f}"]
    return wrong + ([] if noticed else ["an anomaly in the fall, got none"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motionscribe demo", description="A synthetic performance, from server to picture."
    )
    parser.add_argument("--realtime", action="store_true", help=f"at its own pace (default: {SPEED:g} times that)")
    parser.add_argument(
        "--lag", choices=tuple(LAGS), default=LAG, help="how long until a label is final (default: %(default)s)"
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="another performer (default: %(default)s)")
    parser.add_argument(
        "--models", type=Path, default=SHIPPED, metavar="DIR", help=f"folder with {MODEL} (default: the checkout's)"
    )
    parser.add_argument(
        "--picture",
        type=_picture,
        default=Path("motionscribe-demo.png"),
        metavar="FILE",
        help=f"truth and labels, {' '.join(PICTURES)} (default: %(default)s)",
    )
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected 0, 1, 2, ..., got {text}")
    return int(text)


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix not in PICTURES or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"expected a {' '.join(PICTURES)} in a folder that exists, got {text}")
    return path


def follow(stream: Stream, console: Console) -> list[Event]:
    """All events of a stream; prints segments and anomalies, and on a terminal the label of the moment."""
    events: list[Event] = []
    with console.status("listening") as status:
        for event in stream:
            events.append(event)
            match event:
                case Label(final=False, cluster=cluster, stability=stability, end_us=end_us):
                    status.update(f"{end_us / 1e6:5.1f} s  cluster {cluster}, {stability:.0%} stable")
                case SegmentEnded(cluster=cluster):
                    console.print(f"{_span(event)}  cluster {cluster}")
                case Anomaly(ongoing=True, start_us=start_us):
                    console.print(f"{start_us / 1e6:5.1f} s to ...    anomaly", style="bold red")
                case _:
                    pass
    return events


def compare(performance: Performance, found: Sequence[SegmentEnded], names: Mapping[int, str]) -> Table:
    """Found segments, and what the performer did meanwhile."""
    table = Table(title="segments found beside the truth (synthetic)", title_justify="left")
    for column in ("from", "to", "cluster", "matched to", "truth"):
        table.add_column(column, justify="right" if column in ("from", "to", "cluster") else "left")
    for segment in found:
        done = frames_by_action(performance.segments, segment.start_seq, segment.end_seq)
        shares = {name: frames / sum(done.values()) for name, frames in done.items()}
        table.add_row(
            f"{segment.start_us / 1e6:.1f}",
            f"{segment.end_us / 1e6:.1f}",
            str(segment.cluster),
            names.get(segment.cluster, "-"),
            ", ".join(name if share == 1 else f"{name} {share:.0%}" for name, share in shares.items()),
        )
    return table


def _span(event: SegmentEnded | Anomaly) -> str:
    return f"{event.start_us / 1e6:5.1f} to {event.end_us / 1e6:5.1f} s"
