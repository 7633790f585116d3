"""Brings the events of a command to one receiver, in order and at least once, whatever the receiver does meanwhile.

In: events of any number of streams; `write` returns at once and raises nothing. Out: messages to an Outlet, in a thread
of its own. While the outlet is down they wait (backlog.py) and it is tried again, ever more seldom up to LONGEST_S. One
that is slow gets fewer at a time.
"""

import itertools
import logging
import random
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial

from motionscribe.events import Event, Label
from motionscribe.sinks.backlog import Backlog
from motionscribe.sinks.base import MakeSink, Sink, StreamInfo
from motionscribe.sinks.final_names import Naming
from motionscribe.sinks.message import Message, start_us
from motionscribe.sinks.outlet import Down, Outlet, Refused
from motionscribe_proto.names import escape

log = logging.getLogger(__name__)

FIRST_S, LONGEST_S = 0.2, 5.0
"""Between two tries."""
MOST_ASKED_S = 300.0
"""Longer than that no receiver is left alone, whatever it asks for."""
PATIENCE_S = 10.0
"""So long a command waits at its end, for all its receivers together."""
SLOW_S = 2.0
"""A batch that takes longer was too large. It is well below the outlets' own time-outs."""


@dataclass(slots=True)
class RelayState:
    """Messages of one address."""

    sent: int = 0
    """Those that the receiver has, once each."""
    repeated: int = 0
    """Sent once more, since nobody knew whether they had come."""
    refused: int = 0
    waiting: int = 0
    """In memory or on disk."""
    dropped: int = 0
    """The oldest, where more waited than may."""
    unreadable: int = 0
    """On disk, but not to be read."""
    lost: int = 0
    """At the end, where they could not be left on disk."""
    down_since: float | None = None
    """Seconds since 1970; None while the receiver is there."""


class Ending:
    """That of relays which end together."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._end_s: float | None = None
        self.relays: list[Relay] = []

    def left_s(self) -> float:
        """Of the patience with all of them. The first call begins their end."""
        if self._end_s is None:
            self._end_s = time.monotonic() + PATIENCE_S
            self.begun.set()
            for relay in self.relays:
                relay.wake()
        return max(0.0, self._end_s - time.monotonic())

    def hurry(self) -> None:
        """No more patience."""
        self._end_s = time.monotonic()


_ending: ContextVar[Ending | None] = ContextVar("ending", default=None)


@contextmanager
def ending_together() -> Iterator[None]:
    """Relays made in this context share PATIENCE_S. When the first is closed, nothing more may come to the others."""
    token = _ending.set(Ending())
    try:
        yield
    finally:
        _ending.reset(token)


@contextmanager
def relayed(address: str, outlet: Outlet) -> Iterator[MakeSink]:
    """A sink for each stream, all of one relay. `address`, as the user wrote it, names what waits on disk."""
    relay = Relay(address, outlet)
    try:
        yield relay.sink
    finally:
        relay.close()


class Relay:
    """One address of one command."""

    def __init__(self, address: str, outlet: Outlet) -> None:
        self._outlet = outlet
        self._run = outlet.run = secrets.token_hex(6)
        self._backlog = Backlog(address, self._run)
        self._numbers = itertools.count(1)
        self._order = threading.Lock()
        """Guards the numbers and the streams that have ended."""
        self._state = RelayState()
        self._ended: list[str] = []
        self._news, self._stopped = threading.Event(), threading.Event()
        self._ending = _ending.get() or Ending()
        self._ending.relays.append(self)
        self._most = outlet.most
        """Messages at a time, for now."""
        self._thread = threading.Thread(target=self._deliver, name=f"motionscribe-{outlet.where}", daemon=True)
        self._thread.start()

    @property
    def state(self) -> RelayState:
        """As it is now."""
        state, backlog = self._state, self._backlog
        state.waiting, state.dropped = backlog.waiting, backlog.dropped
        state.unreadable, state.lost = backlog.unreadable, backlog.lost
        return state

    def sink(self, info: StreamInfo) -> Sink:
        """That of one stream."""
        with self._order:
            # it goes on with the next recording
            self._ended = [stream for stream in self._ended if stream != info.stream_id]
        self._outlet.expect(info.stream_id)
        return RelaySink(self, info)

    def put(self, stream: str, event: Event, name: str, ahead_us: int | None) -> None:
        """Takes an event; returns at once."""
        with self._order:
            self._backlog.put(Message(self._run, next(self._numbers), stream, event, name, ahead_us))
        self._news.set()

    def end(self, stream: str) -> None:
        """No more events of this stream."""
        self._outlet.end(stream)
        with self._order:
            self._ended.append(stream)
        self._news.set()

    def close(self) -> None:
        """Returns when all is delivered, after PATIENCE_S at the latest; what is left waits on disk. Ctrl-C ends it."""
        try:
            self._thread.join(self._ending.left_s())
        except BaseException:
            self._ending.hurry()
            raise
        finally:
            self._stopped.set()
            self.wake()
            self._tell_end()

    def wake(self) -> None:
        """The thread looks again at what there is to do."""
        self._news.set()

    def _tell_end(self) -> None:
        reason = ""
        try:
            self._backlog.close()
        except (OSError, sqlite3.Error) as error:
            reason = f": {error}"
        state = self.state
        counts = {
            "wait for the next command with this address": state.waiting,
            "were refused": state.refused,
            "were dropped, since too many waited": state.dropped,
            "could not be read back from disk": state.unreadable,
            f"are lost, they are not on disk{reason}": state.lost,
        }
        if told := [f"{count} events {what}" for what, count in counts.items() if count]:
            log.warning("%s: %s", self._outlet.where, ", ".join(told))

    def _deliver(self) -> None:
        """The thread."""
        while not self._stopped.is_set():
            self._news.clear()
            batch = self._backlog.first(self._most)
            if batch:
                self._insist(self._outlet.send, batch)
            elif (stream := self._next_ended()) is not None:
                self._insist(partial(self._leave, stream), ())
            elif self._ending.begun.is_set():
                break
            else:
                self._news.wait()
        self._outlet.close()

    def _next_ended(self) -> str | None:
        with self._order:
            return self._ended.pop(0) if self._ended else None

    def _leave(self, stream: str, _: Sequence[Message]) -> None:
        self._outlet.leave(stream)

    def _insist(self, act: Callable[[Sequence[Message]], None], batch: Sequence[Message]) -> None:
        """Tries until it works, the receiver refuses, or the command is over."""
        for failures in itertools.count():
            if self._stopped.is_set():
                return
            begun_s = time.monotonic()
            try:
                act(batch)
                self._state.sent += len(batch)
                self._state.repeated += len(batch) if failures else 0
            except (Down, OSError) as error:
                down = error if isinstance(error, Down) else Down(error, slow=isinstance(error, TimeoutError))
                if down.delivered:
                    self._state.sent += down.delivered
                    self._backlog.remove(down.delivered)
                if down.slow:
                    self._most = max(1, len(batch) // 2)
                self._go_down(error)
                self._pause(failures, down.wait_s)
                if batch and not (batch := batch[down.delivered :][: self._most]):
                    return
                continue
            except Exception as error:
                # what no receiver takes, or what nobody thought of, must not hold up the rest
                if not self._state.refused:
                    reason = error if isinstance(error, Refused) else repr(error)
                    log.warning("%s refuses events: %s", self._outlet.where, escape(str(reason)))
                self._state.refused += len(batch)
            self._come_up()
            if batch:
                self._adapt(len(batch), time.monotonic() - begun_s)
                self._backlog.remove(len(batch))
            return

    def _adapt(self, count: int, took_s: float) -> None:
        """To how fast the receiver is."""
        larger = max(self._most, min(2 * count, self._outlet.most))
        self._most = max(1, count // 2) if took_s > SLOW_S else larger

    def _pause(self, failures: int, asked_s: float) -> None:
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(failures, 60))
        pause_s = max(longest * random.uniform(0.5, 1.0), min(asked_s, MOST_ASKED_S))  # noqa: S311  spreads clients
        if not self._ending.begun.is_set():
            self._ending.begun.wait(pause_s)
        else:
            self._stopped.wait(min(pause_s, LONGEST_S / 5))

    def _go_down(self, error: Exception) -> None:
        if self._state.down_since is None:
            self._state.down_since = time.time()
            log.warning("%s is down, events wait: %s", self._outlet.where, escape(str(error)))

    def _come_up(self) -> None:
        if self._state.down_since is not None:
            away_s = time.time() - self._state.down_since
            self._state.down_since = None
            log.warning("%s is back after %.0f s, %d events waited", self._outlet.where, away_s, self.state.waiting)


class RelaySink(Sink):
    """One stream of a relay."""

    def __init__(self, relay: Relay, info: StreamInfo) -> None:
        self._relay = relay
        self._info = info
        self._names = dict(info.names)

    def write(self, event: Event) -> None:
        """Returns at once and raises nothing."""
        if isinstance(event, Naming):
            self._names[event.cluster] = event.name
        name = self._names.get(event.cluster, "") if isinstance(event, Label) else ""
        clock, begun_us = self._info.clock, start_us(event)
        self._relay.put(self._info.stream_id, event, name, clock.here_us(begun_us) - begun_us if clock else None)

    def close(self) -> None:
        """What was written is still delivered."""
        self._relay.end(self._info.stream_id)
