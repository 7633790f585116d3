"""The events of one stream to several sinks at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from motionscribe.events import Event
from motionscribe.sinks.base import MakeSink, Sink, StreamInfo


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
