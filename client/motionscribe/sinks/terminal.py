"""A live table in the terminal: the present label, the newest segments, anomalies and gaps; all of them at the end."""

from collections.abc import Mapping

from rich.console import Group
from rich.table import Table
from rich.text import Text

from motionscribe.anomaly_text import describe
from motionscribe.events import (
    Anomaly,
    ClusterCreated,
    ClusterMerged,
    ClusterNamed,
    ClusterSplit,
    ClusterTableFull,
    Degraded,
    Event,
    Gap,
    Label,
    Restarted,
    SegmentEnded,
    SegmentStarted,
)
from motionscribe.feed_clock import FeedClock
from motionscribe.sinks.base import Sink
from motionscribe.sinks.board import Board
from motionscribe.tables import plain, titled

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_red", "bright_green", "bright_cyan", "bright_magenta")
NEWEST_ROWS = 15


class Terminal(Sink):
    """Shows the events of one stream, from its construction until it is closed."""

    def __init__(
        self,
        board: Board,
        title: str,
        names: Mapping[int, str] | None = None,
        start_us: int | None = None,
        clock: FeedClock | None = None,
    ) -> None:
        self._title = title
        self._sender_clock = clock
        self._names = dict(names or {})
        self._rows: list[tuple[str, str, str, Text]] = []
        self._ongoing: dict[int, Anomaly] = {}
        self._degraded: Degraded | None = None
        self._now: Label | None = None
        self._origin_us = start_us
        self._complete = False
        self._board = board
        board.add(self.render)

    def write(self, event: Event) -> None:
        """Takes an event into the table."""
        match event:
            case Label():
                self._start(event.start_us)
                # final labels speak of moments long gone
                if self._now is None or event.end_us >= self._now.end_us:
                    self._now = event
            case SegmentStarted():
                self._names[event.cluster] = event.name
            case SegmentEnded():
                self._names[event.cluster] = event.name
                self._add(event.start_us, event.end_us, self._name(event.cluster))
            case Anomaly(ongoing=True):
                self._ongoing[event.anomaly] = event
            case Anomaly():
                self._ongoing.pop(event.anomaly, None)
                self._add(event.start_us, event.end_us, _describe(event))
            case Degraded(ongoing=True):
                self._degraded = event
            case Degraded():
                self._degraded = None
                self._add(event.start_us, event.end_us, _name_unseen(event))
            case Gap():
                self._add(event.start_us, event.end_us, Text("gap: no frames", "dim"))
            case ClusterCreated():
                self._add(event.time_us, event.time_us, Text(f"new: cluster {event.cluster}", "dim"))
            case ClusterMerged():
                merged = Text.assemble(self._name(event.source), " is part of ", self._name(event.target), style="dim")
                self._add(event.time_us, event.time_us, merged)
            case ClusterSplit():
                split = Text.assemble(self._name(event.cluster), " stands for itself again", style="dim")
                self._add(event.time_us, event.time_us, split)
            case ClusterNamed():
                called = f" is called {event.name} from now on" if event.name else " has no name any more"
                self._add(event.time_us, event.time_us, Text.assemble(self._name(event.cluster), called, style="dim"))
                self._names[event.cluster] = event.name
            case ClusterTableFull():
                full = f"{event.limit} clusters are learnt: cluster {event.cluster} made room"
                self._add(event.time_us, event.time_us, Text(full, "dim"))
            case Restarted():
                self._add(event.time_us, event.time_us, plain(f"restarted: {event.reason}", "dim"))

    def close(self) -> None:
        """Leaves the whole table in the terminal."""
        self._complete = True
        self._board.remove(self.render)

    def render(self) -> Group:
        """The table as it is now."""
        table = Table()
        for column in ("from", "to", "seconds"):
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("what")
        rows = self._rows if self._complete else self._rows[-NEWEST_ROWS:]
        for row in rows:
            table.add_row(*row)
        drift = self._sender_clock.describe() if self._sender_clock else ""
        title = f"{self._title}, {drift}" if drift else self._title
        return titled(title, table, *([] if self._complete else self._moment()))

    def _moment(self) -> list[Text]:
        """What is happening now."""
        lines = [_describe(anomaly) for anomaly in self._ongoing.values()]
        if self._degraded:
            lines.append(_name_unseen(self._degraded))
        if self._now:
            stability = (f" {self._now.stability:.0%}", "dim")
            lines.insert(0, Text.assemble("now: ", self._name(self._now.cluster), stability))
        if len(self._rows) > NEWEST_ROWS:
            lines.append(Text(f"{len(self._rows) - NEWEST_ROWS} earlier rows come at the end", "dim"))
        return lines

    def _start(self, time_us: int) -> int:
        if self._origin_us is None:
            self._origin_us = time_us
        return self._origin_us

    def _add(self, start_us: int, end_us: int, what: Text) -> None:
        origin_us = self._start(start_us)
        seconds = f"{(end_us - start_us) / 1e6:.2f}" if end_us > start_us else ""
        self._rows.append((_clock(start_us - origin_us), _clock(end_us - origin_us), seconds, what))

    def _name(self, cluster: int) -> Text:
        name = self._names.get(cluster)
        return plain(f"{name} ({cluster})" if name else f"cluster {cluster}", COLOURS[cluster % len(COLOURS)])


def _describe(anomaly: Anomaly) -> Text:
    return plain(describe(anomaly), "bold red")


def _name_unseen(degraded: Degraded) -> Text:
    return plain(f"not seen: {', '.join(degraded.joints)}", "yellow")


def _clock(time_us: int) -> str:
    """Minutes and seconds since the stream began."""
    minutes, rest = divmod(time_us, 60_000_000)
    return f"{minutes:d}:{rest / 1e6:05.2f}"
