"""The labels of the last half minute of a stream, as runs. Pure: labels go in, runs come out; time is the source's."""

from collections.abc import Iterable
from typing import NamedTuple

from motionscribe.events import Label

KEPT_US = 30_000_000


class Run(NamedTuple):
    """A stretch of time with one label."""

    start_us: int
    end_us: int
    """Half-open."""
    cluster: int


class Labels:
    """Of one session. A final label replaces provisional ones, a newer provisional one older ones."""

    def __init__(self) -> None:
        self._final: list[Run] = []
        self._provisional: list[Run] = []

    def take(self, label: Label) -> None:
        """The next label, in the order in which they are told."""
        run = Run(label.start_us, label.end_us, label.cluster)
        if label.final:
            self._final = joined([*self._final, run])
            self._provisional = _after(self._provisional, run.end_us)
        elif not self._final or run.end_us > self._final[-1].end_us:
            before = [one._replace(end_us=min(one.end_us, run.start_us)) for one in self._provisional]
            after = _after(self._provisional, run.end_us)
            self._provisional = [*(one for one in before if one.start_us < one.end_us), run, *after]
        since_us = self.runs()[-1].end_us - KEPT_US
        self._final = [one for one in self._final if one.end_us > since_us]
        self._provisional = [one for one in self._provisional if one.end_us > since_us]

    def runs(self) -> list[Run]:
        """In order of time. The first of them began earlier than half a minute ago where it has lasted for so long."""
        return [*self._final, *self._provisional]


def joined(runs: Iterable[Run]) -> list[Run]:
    """Neighbours with one label as one run."""
    found: list[Run] = []
    for run in runs:
        if found and found[-1].cluster == run.cluster and run.start_us <= found[-1].end_us:
            found[-1] = found[-1]._replace(end_us=max(found[-1].end_us, run.end_us))
        else:
            found.append(run)
    return found


def _after(runs: Iterable[Run], time_us: int) -> list[Run]:
    """What of the runs is later than a time."""
    return [run._replace(start_us=max(run.start_us, time_us)) for run in runs if run.end_us > time_us]
