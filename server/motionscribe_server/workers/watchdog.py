"""Whether a worker still answers: it is pinged once a second, and whatever it says is an answer.

In: pings that were sent, notes that the worker said something. Out: it is silent, it is hung. Pings are counted, not
seconds: where this process stood still as well, as on a machine that was suspended, the worker has not missed any. No
clock, no process here.
"""

PING_S = 1.0
SILENT_AFTER = 2
"""Unanswered pings after which sessions are begun elsewhere: that costs nothing where the worker was only busy."""
HUNG_AFTER = 5
"""Unanswered pings after which it is killed. A worker answers between two turns. The longest turn there is, some steps
of each stream of a full batch, takes tenths of a second, and a few seconds where ten processes share the core."""
START_S = 300.0
"""Seconds to load and try all models. A worker answers no ping before that; the largest on a GPU take a minute."""
REPLY_S = 10.0
"""Seconds to reply to a question. A worker that answers pings may have this much to read before it gets to it."""


class Watchdog:
    """Counts the pings since the worker last said something."""

    def __init__(self) -> None:
        self._unanswered = 0

    def ping(self) -> None:
        """Another one leaves."""
        self._unanswered += 1

    def hear(self) -> None:
        """The worker said something."""
        self._unanswered = 0

    @property
    def is_silent(self) -> bool:
        """It may be hung."""
        return self._unanswered > SILENT_AFTER

    @property
    def is_hung(self) -> bool:
        """It will not answer any more."""
        return self._unanswered > HUNG_AFTER
