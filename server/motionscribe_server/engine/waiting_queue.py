"""Who waits, and since when: the one that has waited longest comes first."""

from itertools import islice

from motionscribe_server.engine.scheduled_session import ScheduledSession


class WaitingQueue:
    """Sessions in the order they came, each once. Times are seconds of the scheduler's clock."""

    def __init__(self) -> None:
        self._since: dict[ScheduledSession, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def add(self, session: ScheduledSession, now: float) -> None:
        """To the end, unless it waits already."""
        self._since.setdefault(session, now)

    def discard(self, session: ScheduledSession) -> None:
        """It waits no more, if it did."""
        self._since.pop(session, None)

    def take(self, count: int) -> list[ScheduledSession]:
        """The first `count` of them, or all, which wait no more."""
        taken = list(islice(self._since, count))
        for session in taken:
            del self._since[session]
        return taken

    @property
    def longest_since(self) -> float:
        """When the first one came. Raises StopIteration where nobody waits."""
        return next(iter(self._since.values()))
