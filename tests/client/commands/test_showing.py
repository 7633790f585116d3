"""Every sink gets every event and is closed, whatever happens."""

from collections.abc import Iterator

import pytest
from tests.support.numbered_frames import labels

from motionscribe.commands.showing import show
from motionscribe.events import Event
from motionscribe.sinks import MakeSink, StreamInfo

INFO = StreamInfo("m1", "the title")


class Remembering:
    """A sink that remembers and may fail."""

    def __init__(self, *, fails_to_write: bool = False, fails_to_close: bool = False) -> None:
        self.events: list[Event] = []
        self.closed = 0
        self._fails_to_write, self._fails_to_close = fails_to_write, fails_to_close

    def write(self, event: Event) -> None:
        if self._fails_to_write:
            raise OSError("disk full")
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1
        if self._fails_to_close:
            raise OSError("still busy")


def making(*sinks: Remembering) -> list[MakeSink]:
    def maker(sink: Remembering) -> MakeSink:
        return lambda info: sink

    return [maker(sink) for sink in sinks]


def test_all_sinks_get_all_events() -> None:
    sinks = Remembering(), Remembering()
    show(labels(5), making(*sinks), INFO)
    assert [(sink.events, sink.closed) for sink in sinks] == [(labels(5), 1)] * 2


def test_sinks_are_closed_where_the_stream_fails() -> None:
    def broken() -> Iterator[Event]:
        yield from labels(2)
        raise KeyboardInterrupt

    sinks = Remembering(), Remembering()
    with pytest.raises(KeyboardInterrupt):
        show(broken(), making(*sinks), INFO)
    assert [(len(sink.events), sink.closed) for sink in sinks] == [(2, 1)] * 2


@pytest.mark.parametrize(
    ("bad", "text"), [({"fails_to_write": True}, "disk full"), ({"fails_to_close": True}, "still busy")]
)
def test_sinks_are_closed_where_another_fails(bad: dict[str, bool], text: str) -> None:
    sinks = Remembering(), Remembering(**bad), Remembering()
    with pytest.raises(OSError, match=text):
        show(labels(1), making(*sinks), INFO)
    assert [sink.closed for sink in sinks] == [1, 1, 1]


def test_sinks_are_closed_where_another_cannot_be_made() -> None:
    def cannot(info: StreamInfo) -> Remembering:
        raise OSError(f"no room for {info.stream_id}")

    sink = Remembering()
    with pytest.raises(OSError, match="no room for m1"):
        show(labels(1), [*making(sink), cannot], INFO)
    assert (sink.events, sink.closed) == ([], 1)
