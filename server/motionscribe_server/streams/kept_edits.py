"""The edits of a durable stream that its newest snapshot does not have.

In: rows of the store, edits that the session made. Out: rows to be written, and what the session has still to make. Two
kinds wait. Those that a session made after the snapshot have a place: a session that goes on from the snapshot makes
them there again by itself, so that every event after them is the same. Those that were answered while nobody had the
stream here, or while it repeated what an earlier server told, have a ticket: they are made when everything is told
again, and no other edit before them.
"""

from collections import deque
from collections.abc import Sequence

from motionscribe_server.session.edits import Edit, PlacedEdit, edit_from_bytes, edit_to_bytes
from motionscribe_server.storage.checkpoints import KeptStream, Numbered


class KeptEdits:
    """Numbers the edits that the session makes 1, 2, 3, ..., over all servers."""

    def __init__(self, kept: KeptStream | None = None) -> None:
        self.made = kept.checkpoint.edits if kept else 0
        """Number of the last edit that the session has made."""
        self._repeated = deque(kept.edits if kept else ())
        self._deferred: dict[int, Edit] = {}
        self._seen = 0
        if kept:
            self.defer(kept.deferred)

    @property
    def repeated(self) -> list[PlacedEdit]:
        """Those that the session makes again by itself."""
        return [edit_from_bytes(row) for _, row in self._repeated]

    @property
    def any_wait(self) -> bool:
        """The session has not made all of them."""
        return bool(self._repeated or self._deferred)

    @property
    def deferred(self) -> tuple[int, Edit] | None:
        """The oldest ticket and its edit, where it is its turn."""
        return None if self._repeated or not self._deferred else next(iter(self._deferred.items()))

    def defer(self, rows: Numbered) -> None:
        """The store has these; those that are new are to be made once everything is told again."""
        for ticket, row in rows:
            if ticket > self._seen:
                self._seen = ticket
                self._deferred[ticket] = edit_from_bytes(row).edit

    def drop(self, ticket: int) -> None:
        """It cannot be made."""
        self._deferred.pop(ticket, None)

    def note(self, edits: Sequence[PlacedEdit]) -> tuple[list[tuple[int, bytes]], list[int]]:
        """The session made these; returns the rows that the store does not have, and the tickets that they settle."""
        rows: list[tuple[int, bytes]] = []
        tickets: list[int] = []
        for placed in edits:
            if self._repeated:
                self.made, _ = self._repeated.popleft()
                continue
            self.made += 1
            rows.append((self.made, edit_to_bytes(placed)))
            if self._deferred:
                tickets.append(ticket := next(iter(self._deferred)))
                del self._deferred[ticket]
        return rows, tickets
