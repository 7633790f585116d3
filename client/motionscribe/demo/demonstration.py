"""The demo: server, synthetic performance, live labels, and how they compare with the truth.

Starts a server of the shipped model, makes a synthetic performance (nobody was recorded), streams it as any client
would, shows labels while they come, then prints the segments beside the truth and saves a picture of both. Options are
those of commands/demo.py.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from motionscribe.anomaly_text import describe
from motionscribe.client import Client, Stream
from motionscribe.demo.performer import Performance, perform
from motionscribe.demo.picture import save_picture
from motionscribe.demo.score import anomalies_in, frames_by_action, score
from motionscribe.demo.server import serve
from motionscribe.events import Anomaly, Event, Label, SegmentEnded
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.lags import Lag

# the accuracy below which something is broken
ENOUGH = 0.8


def demonstrate(models: Path, picture: Path, *, seed: int, lag: Lag, speed: float) -> list[str]:
    """Prints labels while they come, then the comparison; saves the picture. Returns what is not as it should be.

    `speed` is in multiples of real time. Raises MissingExtraError, UnknownModelError, MotionscribeError, OSError.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtraError("server-cpu", "the demo")

    console = Console(highlight=False)
    performance = perform(seed=seed)
    truth = performance.segments
    console.print(
        f"Synthetic motion of performer {seed}, {len(performance.recording.frames)} frames made up by a "
        f"program: {', '.join(dict.fromkeys(segment.name for segment in truth))}. The model has never seen it, and is "
        "not told how many actions there are."
    )
    with (
        serve(models) as address,
        Client(address) as client,
        client.stream(performance.recording, lag=lag, realtime=speed) as stream,
    ):
        model = stream.opened.model
        console.print(
            f"{model.name}/{model.version} as {model.variant} on {model.provider}, serving at {address}; labels are "
            f"final after {stream.opened.latency_us / 1e6:.1f} s of motion ({lag})\n"
        )
        events = follow(stream, console)

    found = [event for event in events if isinstance(event, SegmentEnded)]
    anomalies = [event for event in events if isinstance(event, Anomaly) and not event.ongoing]
    result = score(truth, found)
    console.print(compare(performance, found, result.names))
    for anomaly in anomalies:
        console.print(f"{_span(anomaly)}  {describe(anomaly)}")
    save_picture(picture, performance, events, result.names)
    noticed = anomalies_in(truth[-1], anomalies)
    console.print(
        f"\naccuracy {result.accuracy:.3f}: of all frames, with {len(result.names)} of "
        f"{len({segment.cluster for segment in found})} clusters named, one for each action\n"
        f"anomalies: {len(noticed)} in the {truth[-1].name} at the end, {len(anomalies) - len(noticed)} elsewhere\n"
        f"picture: {picture}\n"
        "in a browser, to watch and to name: make demo PAGE=1, or motionscribe demo --page"
    )
    return shortfalls(result.accuracy, len(noticed))


def shortfalls(accuracy: float, noticed: int) -> list[str]:
    """What a working installation does and this one did not; `noticed` counts anomalies in the fall."""
    wrong = [] if accuracy >= ENOUGH else [f"an accuracy of at least {ENOUGH}, got {accuracy:.3f}"]
    return wrong + ([] if noticed else ["an anomaly in the fall, got none"])


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
                case Anomaly(phase="begun", start_us=start_us):
                    console.print(f"{start_us / 1e6:5.1f} s to ...    {describe(event)}", style="bold red")
                case _:
                    pass
    return events


def compare(performance: Performance, found: Sequence[SegmentEnded], names: Mapping[int, str]) -> Table:
    """A table of the found segments, each with what the performer did meanwhile."""
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
