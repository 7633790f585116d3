"""What a store keeps of durable streams: who owns one, its newest snapshot, unacknowledged events, edits since then.

Each write names the epoch of its owner and changes nothing where another owner has claimed the stream since. A write
happens as a whole or not at all. Calls block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Numbered = Sequence[tuple[int, bytes]]
"""Events or edits with their numbers."""


@dataclass(frozen=True)
class Checkpoint:
    """A durable stream at one frame."""

    key: str
    epoch: int
    token: str
    """SHA-256 of the resume token, in hexadecimal."""
    name: str
    """Unique name of the session."""
    model: str
    version: str
    lag: str
    provisional: bool
    rate_hz: float
    next_seq: int
    """Frames before it are in the snapshot."""
    last_us: int | None
    """Time of the frame before it."""
    last_event: int
    """Number of the last event of these frames."""
    edits: int
    """Number of the last edit that the snapshot has."""
    closed: bool
    """All frames came, all events are in the outbox."""
    refusal: str
    """Why it was closed where the owner's frames were refused: status and text as JSON. Else empty."""
    saved_s: float
    """When it was made, by the clock of the server, in seconds since 1970."""
    snapshot: bytes | None
    """None before the first, and where it is closed."""

    @property
    def whole(self) -> bool:
        """True where a stream can go on from it."""
        return self.closed or self.snapshot is not None


class KeptStream(NamedTuple):
    """All that is kept of a durable stream."""

    checkpoint: Checkpoint
    outbox: Numbered
    """Unacknowledged events, in ascending order of number."""
    edits: Numbered
    """Edits that the session made after the snapshot, in ascending order of number."""
    deferred: Numbered
    """Edits that no session has made, in the order of their tickets, which are never given twice."""


class Checkpoints(Protocol):
    """The checkpoints of one store. Raises StoreError where it cannot be read or written."""

    def find(self, key: str) -> KeptStream | None:
        """What is kept of a stream."""

    def begin(self, first: Checkpoint) -> None:
        """A new stream in place of whatever had its key; who owned that is fenced. Raises FencedError."""

    def claim(self, key: str, epoch: int) -> int:
        """Makes the caller the owner of a stream that had `epoch`; returns the new one. Raises FencedError."""

    def take_over(self, key: str, epoch: int) -> KeptStream:
        """Claims a stream, and finds what is kept of it in the same step. Raises FencedError.

        What is found before a claim may be older: its owner writes until it is fenced.
        """

    def append(self, key: str, epoch: int, events: Numbered, edits: Numbered = (), tickets: Sequence[int] = ()) -> None:
        """Events that are about to be sent, edits that the session made, tickets of deferred ones that are settled.

        One write; the event of a number that is there already stays as it is. Raises FencedError.
        """

    def deferred(self, key: str) -> Numbered:
        """Edits that no session has made (Store.edit)."""

    def keep(self, checkpoint: Checkpoint, acknowledged: int) -> Numbered:
        """A newer checkpoint; events up to `acknowledged` go. Returns what is deferred. Raises FencedError."""
