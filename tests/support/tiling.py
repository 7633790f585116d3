"""What holds of the final events of any stream that was told whole."""

from collections.abc import Sequence
from itertools import pairwise

from motionscribe_proto.events import Event, Label, SegmentEnded, SegmentStarted


def require_whole(events: Sequence[Event], frames: int) -> None:
    """Final labels tile the frames, and segments follow one another."""
    at = 1
    for event in events:
        if isinstance(event, Label) and event.final:
            assert event.start_seq == at
            at = event.end_seq
    assert at == frames + 1
    for kind in (SegmentStarted, SegmentEnded):
        numbers = [event.segment for event in events if isinstance(event, kind)]
        assert all(after == before + 1 for before, after in pairwise(numbers))
