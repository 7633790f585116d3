"""The order of a stream's actions and how long they last, learnt from its final labels: a semi-Markov model.

In: final moments with their cluster, and whether a fault was open. Out: how many false alarms an hour are to be
expected at the newest, of order and of durations (order.py). A visit is a stretch of one cluster. It is compared with
those before, then learnt; so what recurs becomes known. A visit with a fault is neither: its labels may be wrong. One
that a gap cuts has no end, and one after a gap no beginning: their lengths are not learnt. No clock, no randomness.
"""

from motionscribe_models.state import State
from motionscribe_server.session.anomaly.usual_durations import UsualDurations
from motionscribe_server.session.anomaly.usual_steps import UsualSteps
from motionscribe_server.session.span import Span

CHATTER_S = 0.5
"""A visit so short is no action that somebody cut short: the label has wavered."""
RAREST = 1e-4
"""False alarms an hour: no stream is long enough to know of anything rarer."""


class HabitualOrder:
    """Of one stream."""

    def __init__(self, moment_s: float) -> None:
        self._moment_s = moment_s
        self._usual_rate = 3600 / moment_s
        self._steps = UsualSteps()
        self._durations = UsualDurations()
        self._watched_s = 0.0  # in visits without a fault that are over
        self._cluster = 0  # of the open visit, 0 for none
        self._start_us = self._end_us = 0
        self._has_start = self._fine = False  # it began with a step; it has had no fault
        self._order_rate = self._duration_rate = self._usual_rate

    def add(self, span: Span, cluster: int, faulty: bool) -> None:
        """The next final moment, of `cluster`, 0 for no action; `faulty` where a fault of sensors or motion is open."""
        if cluster == 0:
            self.cut()
            return
        if cluster != self._cluster:
            follows = self._cluster > 0
            if follows:
                self._finish(cluster, faulty)
            self._cluster, self._start_us, self._has_start, self._fine = cluster, span.start_us, follows, True
        self._end_us = span.end_us
        self._fine = self._fine and not faulty
        if self._fine:
            self._compare_duration(self._durations.share_longer(cluster, self._seconds))

    def cut(self) -> None:
        """A gap, or the end of the stream: nobody knows how long the open visit was, and what it has to say is old."""
        if self._cluster and self._fine:
            self._watched_s += self._seconds
        self._cluster = 0
        self.take()

    def take(self) -> tuple[float, float]:
        """False alarms an hour, of order and of durations: the fewest since the last call; else those of any moment."""
        taken = self._order_rate, self._duration_rate
        self._order_rate = self._duration_rate = self._usual_rate
        return taken

    def merge(self, source: int, target: int) -> None:
        """`source` is part of `target`."""
        self._steps.merge(source, target)
        self._durations.merge(source, target)
        if self._cluster == source:
            self._cluster = target

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "steps": self._steps.state(),
            "durations": self._durations.state(),
            "watched_s": self._watched_s,
            "visit": [self._cluster, self._start_us, self._end_us, self._has_start, self._fine],
            "rates": [self._order_rate, self._duration_rate],
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._steps.restore(state["steps"])
        self._durations.restore(state["durations"])
        self._watched_s = state["watched_s"]
        self._cluster, self._start_us, self._end_us, self._has_start, self._fine = state["visit"]
        self._order_rate, self._duration_rate = state["rates"]

    @property
    def _seconds(self) -> float:
        """Of the open visit so far."""
        return max((self._end_us - self._start_us) / 1e6, self._moment_s)

    def _finish(self, then: int, faulty: bool) -> None:
        """The open visit ends with a step to cluster `then`, whose first moment may be `faulty`."""
        if not self._fine:
            return
        if not faulty:
            step = self._cluster, then
            self._order_rate = min(self._order_rate, self._an_hour(self._steps.as_unlikely(step)))
            self._steps.learn(step)
        if self._has_start and self._seconds > CHATTER_S:
            self._compare_duration(self._durations.share_shorter(self._cluster, self._seconds))
            self._durations.learn(self._cluster, self._seconds)
        self._watched_s += self._seconds

    def _compare_duration(self, share: float) -> None:
        """Visits of so small a share are to be expected by what is usual, and not fewer than have been."""
        if share < 1.0:
            expected = max(share * self._durations.visits, self._durations.as_far(share))
            self._duration_rate = min(self._duration_rate, self._an_hour(expected))

    def _an_hour(self, times: float) -> float:
        """What came so often in the time that was watched."""
        return max(RAREST, times * 3600 / self._watched_s) if self._watched_s > 0 else self._usual_rate
