"""The edits of a durable stream that its newest snapshot does not have, in the order in which they were answered.

In: rows of the store, edits that a session made, edits that wait. Out: rows to be written, and what the session has to
make again. An edit has a place where a session made it: a session that goes on from the snapshot makes it there again,
so that every event after it is the same. One that was answered while nobody had the stream open, or while it repeated
what an earlier server told, has none: it is made as soon as everything is told again.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from motionscribe_server.session.edits import Edit, PlacedEdit, edit_from_bytes, edit_to_bytes
from motionscribe_server.storage.checkpoints import Numbered


@dataclass(frozen=True)
class _Waiting:
    number: int
    edit: Edit
    place: int | None


class KeptEdits:
    """Numbers edits 1, 2, 3, ..."""

    def __init__(self, rows: Numbered = ()) -> None:
        self._waiting = deque(_Waiting(number, *edit_from_bytes(row)) for number, row in rows)
        self._last = rows[-1][0] if rows else 0
        self.made = rows[0][0] - 1 if rows else 0
        """Number of the last edit that the session has made."""

    @property
    def repeated(self) -> list[PlacedEdit]:
        """Those that the session makes again by itself."""
        return [PlacedEdit(each.place, each.edit) for each in self._waiting if each.place is not None]

    @property
    def any_wait(self) -> bool:
        """The session has not made all of them."""
        return bool(self._waiting)

    @property
    def deferred(self) -> Edit | None:
        """The next edit, where it has no place yet."""
        return self._waiting[0].edit if self._waiting and self._waiting[0].place is None else None

    def defer(self, number: int, edit: Edit) -> None:
        """The store has this edit: it is to be made once everything is told again."""
        self._last = number
        self._waiting.append(_Waiting(number, edit, None))

    def drop_deferred(self) -> None:
        """The next edit cannot be made."""
        self.made = self._waiting.popleft().number

    def note(self, edits: Sequence[PlacedEdit]) -> list[tuple[int, bytes]]:
        """The session made these; returns the rows that the store does not have."""
        rows = []
        for placed in edits:
            if self._waiting:
                waiting = self._waiting.popleft()
                self.made = waiting.number
                if waiting.place is not None:
                    continue
            else:
                self.made = self._last = self._last + 1
            rows.append((self.made, edit_to_bytes(placed.edit, placed.place)))
        return rows
