"""All viewers of one stream: they are told what happens in it, who comes later first what was kept. No network.

A viewer gets each event once and in order: `join` takes the history and a place among the viewers in one step.
"""

from functools import partial
from typing import Any

from motionscribe.descriptions import StreamInfo
from motionscribe.events import Event
from motionscribe.page.history import History
from motionscribe.page.messages import (
    Message,
    ended_message,
    event_message,
    forgotten_message,
    opened_message,
    past_poses_message,
    poses_message,
    to_json,
)
from motionscribe.page.outgoing import Outgoing
from motionscribe.poses import Poses


class Audience:
    """Of one stream, from session to session. Nobody may be there; the history is kept all the same."""

    def __init__(self, stream_id: str) -> None:
        self._stream_id = stream_id
        self._history = History()
        self._viewers: set[Outgoing] = set()
        self._stream: StreamInfo | None = None
        self._ended: str | None = None
        self._tables: dict[str, str] = {}

    @property
    def was_open(self) -> bool:
        """Whether there is anything that a later viewer could be told."""
        return self._stream is not None

    def join(self, viewer: Outgoing) -> None:
        """Tells a viewer what was kept, and from now on what happens."""
        if self._stream:
            opened = opened_message(self._stream, self._history.origin_us, history=True)
            viewer.put(to_json(opened), self._stream_id)
        for text in self._history.events():
            viewer.put(text, self._stream_id)
        for times_us, frames in self._history.poses():
            # written when it is sent: each takes milliseconds, and all of them megabytes
            viewer.put(partial(_past_poses, self._stream_id, times_us, frames), self._stream_id)
        if self._ended:
            viewer.put(self._ended, self._stream_id)
        for kind, text in self._tables.items():
            viewer.replace(kind, text, self._stream_id)
        self._viewers.add(viewer)

    def leave(self, viewer: Outgoing) -> None:
        """Tells a viewer nothing more, not even what waits for it."""
        self._viewers.discard(viewer)
        viewer.drop_stream(self._stream_id)

    def open(self, stream: StreamInfo, start_us: int | None) -> None:
        """The stream is watched; `start_us` is the time of its first frame, None where that is not known."""
        self._history.open(start_us)
        self._stream, self._ended = stream, None
        self._put(to_json(opened_message(stream, start_us, history=False)))

    def end(self, error: str | None) -> None:
        """The stream is not there; `error` says why the server did not answer. Said once."""
        text = to_json(ended_message(self._stream_id, error))
        if text != self._ended:
            self._ended = text
            self._put(text)

    def forget(self) -> None:
        """The stream was deleted: nothing of it is kept or shown any more."""
        if self._stream:
            self._history.begin(None)
            self._stream, self._tables = None, {}
            self._put(to_json(forgotten_message(self._stream_id)))

    def tell(self, event: Event) -> None:
        """An event."""
        text = to_json(event_message(self._stream_id, event))
        self._history.add(event, text)
        self._put(text)

    def show(self, poses: Poses) -> None:
        """The newest poses."""
        self._history.add_poses(poses)
        if self._viewers:
            self._replace("poses", to_json(poses_message(self._stream_id, poses)))

    def show_table(self, message: Message) -> None:
        """Clusters or anomalies, where they have changed."""
        kind, text = message["is"], to_json(message)
        if self._tables.get(kind) != text:
            self._tables[kind] = text
            self._replace(kind, text)

    def _put(self, text: str) -> None:
        for viewer in self._viewers:
            viewer.put(text, self._stream_id)

    def _replace(self, kind: str, text: str) -> None:
        for viewer in self._viewers:
            viewer.replace(kind, text, self._stream_id)


def _past_poses(*block: Any) -> str:
    return to_json(past_poses_message(*block))
