"""Events of one stream, shown and saved as the options ask."""

import argparse
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TextIO

from rich.console import Console

from motionscribe.descriptions import Cluster
from motionscribe.events import Event
from motionscribe.sinks import JsonLines, Terminal


def show(
    events: Iterable[Event],
    args: argparse.Namespace,
    save: TextIO | None,
    stream_id: str,
    title: str,
    clusters: Iterable[Cluster],
) -> None:
    """Returns when the events end. `clusters` are those known before the first event."""
    with ExitStack() as stack:
        # the file first: an interrupt must not lose what was seen
        sinks: list[JsonLines | Terminal] = [JsonLines(save, stream_id)] if save else []
        if args.json:
            sinks.append(JsonLines(sys.stdout, stream_id))
        else:
            sinks.append(stack.enter_context(Terminal(Console(), title, {c.id: c.name for c in clusters})))
        for event in events:
            for sink in sinks:
                sink.write(event)
