"""Who listens to one stream: its owner, where there is one, and any number of watchers.

In: numbered events, frames, the end. Out: events and the end into each listener's UpdateWriter, frames into those of
watchers who want poses. Who may listen is decided elsewhere.
"""

from collections.abc import Callable, Sequence

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.streams.pose_slot import poses_to_message
from motionscribe_server.streams.update_writer import Progress, UpdateWriter

WATCHER_LIMIT = 8192
"""Events. A watcher that is half a minute of provisional labels behind does not follow any more."""


class Listeners:
    """The writers of one stream's calls."""

    def __init__(self) -> None:
        self.owner: UpdateWriter | None = None
        self._watchers: set[UpdateWriter] = set()

    def watch(self, progress: Callable[[], Progress], provisional: bool, poses: bool) -> UpdateWriter:
        """A new watcher's writer, which gets the events from the next one on, and poses where it wants them."""
        writer = UpdateWriter(progress, WATCHER_LIMIT, provisional, poses)
        self._watchers.add(writer)
        return writer

    def remove_watcher(self, writer: UpdateWriter) -> None:
        """It gets no more events."""
        self._watchers.discard(writer)

    def put(self, first: int, events: Sequence[pb.Event]) -> None:
        """Events numbered from `first` on, for everybody."""
        if self.owner:
            self.owner.put(first, events)
        for writer in self._watchers:
            writer.put(first, events)

    def show(self, block: FrameBlock) -> None:
        """Frames of the owner, in the model's layout, for all who want poses."""
        slots = [writer.poses for writer in self._watchers if writer.poses]
        if slots:
            message = poses_to_message(block)
            for slot in slots:
                slot.put(message)

    def nudge_owner(self) -> None:
        """Has an Update sent to the owner even if there is no event."""
        if self.owner:
            self.owner.nudge()

    def end(self, error: Exception | None, last: Sequence[pb.StreamResponse] = ()) -> None:
        """Ends all calls; only the owner gets the messages `last`."""
        if self.owner:
            self.owner.end(error, last)
        for writer in self._watchers:
            writer.end(error)
