"""Shows the events of a stream in the terminal and sends them wherever else the options ask.

In: the options of options.add_output and the events of one stream after the other. Out: every event in every sink.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from motionscribe.commands.options import refuse_inputs
from motionscribe.events import Event
from motionscribe.sinks import JsonLines, MakeSink, Sink, StreamInfo, Terminal, addresses, jsonlines
from motionscribe.sinks.board import Board


@contextmanager
def open_outputs(args: argparse.Namespace, inputs: Sequence[Path] = ()) -> Iterator[Sequence[MakeSink]]:
    """One MakeSink for each place that the options name, the terminal last.

    Raises BadFile for an output that is one of the files `inputs`, OSError, MissingExtraError.
    """
    if args.save is not None:
        refuse_inputs("--save", Path(args.save), inputs)
    places = [addresses.parse_place(text) for text in args.to]
    for place, address in places:
        if addresses.is_file(place):
            refuse_inputs("--to", Path(address), inputs)
    with ExitStack() as stack:
        opened = [] if args.save is None else [stack.enter_context(jsonlines.save(args.save))]
        opened += [stack.enter_context(place.open(address)) for place, address in places]
        yield [*opened, _json if args.json else partial(_table, Board(Console()))]


def show(events: Iterable[Event], makers: Sequence[MakeSink], info: StreamInfo) -> None:
    """Writes events to a sink of each of `makers` until they end. Closes every sink, whatever happens."""
    with sinks_of(makers, info) as write:
        for event in events:
            write(event)


@contextmanager
def sinks_of(makers: Sequence[MakeSink], info: StreamInfo) -> Iterator[Callable[[Event], None]]:
    """A function that writes an event to a sink of each of `makers`. Closes every sink, whatever happens."""
    with ExitStack() as stack:
        sinks: list[Sink] = []
        for make in makers:
            sink = make(info)
            stack.callback(sink.close)
            sinks.append(sink)

        def write(event: Event) -> None:
            for sink in sinks:
                sink.write(event)

        yield write


def _json(info: StreamInfo) -> Sink:
    return JsonLines(sys.stdout, info.stream_id)


def _table(board: Board, info: StreamInfo) -> Sink:
    return Terminal(board, info.title, info.names, info.start_us)
