"""Messages that wait for their receiver: in memory at first, on disk when they have waited for a second.

In: messages, at once and without a word. Out: the oldest, until they are removed. What an earlier command left for the
same address comes first. Beyond MOST the oldest are dropped and counted. Pictures never go to disk: newer ones come.
"""

import hashlib
import itertools
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from motionscribe.sinks.message import Message
from motionscribe.sinks.spool import Spool

log = logging.getLogger(__name__)

MOST = 1_000_000
"""Messages on disk for one address: a day of one stream's final labels, about 300 MB."""
MOST_IN_MEMORY = 10_000
"""While the disk takes them; ten times as many where it does not."""
SPILL_S = 1.0


def folder() -> Path:
    """Where messages wait: $XDG_STATE_HOME/motionscribe/waiting, or that of ~/.local/state."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "motionscribe" / "waiting"


class Backlog:
    """Of one address in one process. Its methods may be called by any thread; only `put` never touches the disk."""

    def __init__(self, address: str, run: str) -> None:
        self.dropped = 0
        self._run = run
        # an address may hold a secret
        self._key = hashlib.sha256(address.encode()).hexdigest()[:16]
        self._memory: deque[tuple[float, Message]] = deque()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        """Guards the memory. Taken after `_disk`, and never held for long."""
        self._disk = threading.Lock()
        self._own: Spool | None = None
        self._spools = self._adopt()
        """The oldest first; the own one is the last."""
        self._closed = False
        self._full = threading.Event()
        threading.Thread(target=self._keep, name="motionscribe-backlog", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Messages, with those that are being sent."""
        return sum(spool.count for spool in self._spools) + len(self._memory)

    def put(self, message: Message) -> None:
        """The newest. `message.number` is larger than all before."""
        with self._lock:
            self._memory.append((time.monotonic(), message))
            if len(self._memory) > 10 * MOST_IN_MEMORY:
                self.dropped += not self._memory.popleft()[1].is_picture
        if len(self._memory) >= MOST_IN_MEMORY:
            self._full.set()

    def first(self, most: int) -> list[Message]:
        """Up to `most` of the oldest, of one run. Those on disk that cannot be read are left out."""
        with self._disk:
            if self._closed:
                return []
            for spool in list(self._spools):
                try:
                    if found := self._read(spool, most):
                        return found
                    if spool is not self._own:
                        spool.close()
                        self._spools.remove(spool)
                except sqlite3.Error as error:
                    self._leave_out(spool, error)
            with self._lock:
                return [message for _, message in itertools.islice(self._memory, most)]

    def remove(self, messages: Sequence[Message]) -> None:
        """What `first` gave, wherever it is by now."""
        newest = messages[-1]
        with self._disk:
            for spool in [s for s in self._spools if s.path.stem.endswith(newest.run) and not self._closed]:
                try:
                    spool.remove(newest.number)
                except sqlite3.Error as error:  # a full disk, for one
                    self._leave_out(spool, error)
            with self._lock:
                while newest.run == self._run and self._memory and self._memory[0][1].number <= newest.number:
                    self._memory.popleft()

    def close(self) -> None:
        """Leaves on disk what waits. Raises OSError, sqlite3.Error where it cannot be."""
        try:
            self.spill()
        finally:
            with self._disk:
                self._closed = True
                for spool in self._spools:
                    spool.close()

    def spill(self) -> None:
        """Moves to disk what is in memory, without pictures. Raises OSError, sqlite3.Error; then all stays."""
        with self._disk:
            with self._lock:
                kept = [message for _, message in self._memory]
            finals = [message for message in kept if not message.is_picture]
            if finals and not self._closed:
                self._open_own().add([(message.number, message.to_json()) for message in finals])
            with self._lock:
                while kept and self._memory and self._memory[0][1].number <= kept[-1].number:
                    self._memory.popleft()
            over = sum(spool.count for spool in self._spools) - MOST
            for spool in self._spools if over > 0 else ():
                gone = spool.drop(over)
                self.dropped += gone
                over -= gone

    def _keep(self) -> None:
        """The thread that spills."""
        told = False
        while not self._closed:
            full = self._full.wait(SPILL_S / 4)
            self._full.clear()
            with self._lock:
                late = bool(self._memory) and time.monotonic() - self._memory[0][0] > SPILL_S
            if full or late:
                try:
                    self.spill()
                except (OSError, sqlite3.Error) as error:
                    if not told:
                        log.warning("events wait in memory only, the disk does not take them: %s", error)
                    told = True
                    time.sleep(SPILL_S)

    def _read(self, spool: Spool, most: int) -> list[Message]:
        """Raises sqlite3.Error."""
        while rows := spool.first(most):
            found = []
            for _, text in rows:
                try:
                    found.append(Message.from_json(text))
                except ValueError:
                    self.dropped += 1
            if found:
                return found
            spool.remove(rows[-1][0])
        return []

    def _open_own(self) -> Spool:
        if self._own is None:
            folder().mkdir(mode=0o700, parents=True, exist_ok=True)
            self._own = Spool(folder() / f"{self._key}-{time.time_ns():020d}-{self._run}.sqlite")
            self._spools.append(self._own)
        return self._own

    def _adopt(self) -> list[Spool]:
        """What earlier commands left, as far as no other process has it open."""
        found = []
        for path in sorted(folder().glob(f"{self._key}-*.sqlite")):
            try:
                found.append(Spool(path))
            except sqlite3.OperationalError:  # locked: its command runs
                continue
            except sqlite3.DatabaseError as error:
                log.warning("%s: left out: %s", path, error)
        return found

    def _leave_out(self, spool: Spool, error: sqlite3.Error) -> None:
        """The next command may read it."""
        log.warning("%s: left out: %s", spool.path, error)
        self._spools.remove(spool)
        self._own = None if spool is self._own else self._own
