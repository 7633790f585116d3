"""Shows the events of a stream in the terminal and sends them wherever else the options ask.

In: the options of options.add_output and the events of one stream after the other. Out: every event in every sink.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from motionscribe.commands.ending import interrupted_by_sigterm
from motionscribe.commands.options import refuse_inputs, refuse_twice
from motionscribe.events import Event
from motionscribe.sinks import JsonLines, MakeSink, Sink, StreamInfo, Terminal, addresses, jsonlines
from motionscribe.sinks.board import Board
from motionscribe.sinks.relay import ending_together
from motionscribe.sinks.writing import sinks_of


@contextmanager
def open_outputs(args: argparse.Namespace, inputs: Sequence[Path] = ()) -> Iterator[Sequence[MakeSink]]:
    """One MakeSink for each place that the options name, the terminal last.

    Raises BadFile for an output that is one of the files `inputs` or is named twice, OSError, MissingExtraError.
    """
    if args.save is not None:
        refuse_inputs("--save", Path(args.save), inputs)
    places = [addresses.parse_place(text) for text in args.to]
    files = [Path(address) for place, address in places if addresses.is_file(place)]
    for file in files:
        refuse_inputs("--to", file, inputs)
    refuse_twice([*([] if args.save is None else [Path(args.save)]), *files])
    with ExitStack() as stack:
        stack.enter_context(interrupted_by_sigterm())
        opened = [] if args.save is None else [stack.enter_context(jsonlines.save(args.save))]
        with ending_together():
            opened += [stack.enter_context(place.open(address)) for place, address in places]
        yield [*opened, _json if args.json else partial(_table, Board(Console()))]


def show(events: Iterable[Event], makers: Sequence[MakeSink], info: StreamInfo) -> None:
    """Writes events to a sink of each of `makers` until they end. Closes every sink, whatever happens."""
    with sinks_of(makers, info) as write:
        for event in events:
            write(event)


def _json(info: StreamInfo) -> Sink:
    return JsonLines(sys.stdout, info.stream_id)


def _table(board: Board, info: StreamInfo) -> Sink:
    return Terminal(board, info.title, info.names, info.start_us, info.clock)
