"""Messages that wait for their receiver: in memory at first, on disk when they have waited for a second.

In: messages, at once and without a word. Out: the oldest, until they are removed. What an earlier command left for the
same address comes first. Beyond MOST the oldest are dropped and counted. Pictures never go to disk: newer ones come.
What a full disk does not take waits in memory; what it has already is read and sent all the same.
"""

import hashlib
import itertools
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from pathlib import Path

from motionscribe.sinks.message import Message
from motionscribe.sinks.spool import Spool, discard

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
        """Since too many waited."""
        self.unreadable = 0
        """On disk, but no message, or in a file that broke."""
        self.lost = 0
        """At the end, since the disk did not take them, or somebody removed the file."""
        self._run = run
        # an address may hold a secret
        self._key = hashlib.sha256(address.encode()).hexdigest()[:16]
        self._memory: deque[tuple[float, Message]] = deque()
        self._lock = threading.Lock()
        """Guards the memory. Taken after `_disk`, and never held for long."""
        self._disk = threading.Lock()
        self._adopted = self._adopt()
        """What earlier commands left, the oldest first."""
        self._own: list[Spool] = []
        """The last one is written to; more than one where files were removed meanwhile."""
        self._given: tuple[Spool | None, list[int]] = None, []
        """Where `first` found its messages, and their numbers there. None is this command's, on disk by now or not."""
        self._closed = False
        self._full = threading.Event()
        threading.Thread(target=self._keep, name="motionscribe-backlog", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Messages, with those that are being sent."""
        return sum(spool.count for spool in [*self._adopted, *self._own]) + len(self._memory)

    def put(self, message: Message) -> None:
        """The newest. `message.number` is larger than all before."""
        with self._lock:
            self._memory.append((time.monotonic(), message))
            if len(self._memory) > 10 * MOST_IN_MEMORY:
                self.dropped += not self._memory.popleft()[1].is_picture
        if len(self._memory) >= MOST_IN_MEMORY:
            self._full.set()

    def first(self, most: int) -> list[Message]:
        """Up to `most` of the oldest, of one run. Those on disk that cannot be read are passed over and counted."""
        with self._disk:
            if self._closed:
                return []
            for spools in (self._adopted, self._own):
                for spool in list(spools):
                    try:
                        found = self._read(spool, most)
                    except sqlite3.Error as error:
                        self._give_up(spool, error)
                        continue
                    if found:
                        self._given = None if spools is self._own else spool, [number for number, _ in found]
                        return [message for _, message in found]
                    self._finish(spool)
            with self._lock:
                messages = [message for _, message in itertools.islice(self._memory, most)]
            self._given = None, [message.number for message in messages]
            return messages

    def remove(self, count: int) -> None:
        """The first `count` messages of what `first` gave last, wherever they are by now."""
        with self._disk:
            spool, numbers = self._given
            newest = numbers[count - 1]
            self._given = spool, numbers[count:]
            for place in [] if self._closed else list(self._own) if spool is None else [spool]:
                try:
                    place.remove(newest)
                except sqlite3.Error as error:
                    self._give_up(place, error)
                    continue
                if not place.count:
                    self._finish(place)
            with self._lock:
                while spool is None and self._memory and self._memory[0][1].number <= newest:
                    self._memory.popleft()

    def close(self) -> None:
        """Leaves on disk what waits, and counts what is lost. Raises OSError, sqlite3.Error: why it is."""
        try:
            self.spill()
        finally:
            with self._disk:
                self._closed = True
                with self._lock:
                    self.lost += sum(not message.is_picture for _, message in self._memory)
                    self._memory.clear()
                for spool in [*self._adopted, *self._own]:
                    if not spool.is_there:
                        self.lost += spool.count
                        spool.count = 0
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
            spools = [*self._adopted, *self._own]
            over = sum(spool.count for spool in spools) - MOST
            for spool in spools if over > 0 else ():
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

    def _read(self, spool: Spool, most: int) -> list[tuple[int, Message]]:
        """The oldest up to the first that is none. Raises sqlite3.Error."""
        while rows := spool.first(most):
            found = []
            for number, text in rows:
                try:
                    found.append((number, Message.from_json(text)))
                except ValueError:
                    break
            if found:
                return found
            spool.remove(rows[0][0])
            self.unreadable += 1
        return []

    def _open_own(self) -> Spool:
        """Raises OSError, sqlite3.Error; then it leaves no file."""
        if not self._own or not self._own[-1].is_there:
            folder().mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder() / f"{self._key}-{time.time_ns():020d}-{self._run}.sqlite"
            try:
                self._own.append(Spool(path))
            except sqlite3.Error:
                discard(path)
                raise
        return self._own[-1]

    def _adopt(self) -> list[Spool]:
        """What earlier commands left, as far as no other process has it open."""
        found = []
        for path in sorted(folder().glob(f"{self._key}-*.sqlite")):
            try:
                found.append(Spool(path))
            except sqlite3.Error as error:
                # locked: its command runs. The low octet is the code without what SQLite adds to it
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    log.warning("%s: left out: %s", path, error)
        return found

    def _finish(self, spool: Spool) -> None:
        """Closes one that is empty: without its file a full disk has room again."""
        spool.close()
        for spools in (self._adopted, self._own):
            if spool in spools:
                spools.remove(spool)

    def _give_up(self, spool: Spool, error: sqlite3.Error) -> None:
        """Leaves it to the next command, which may read it."""
        log.warning("%s: left out: %s", spool.path, error)
        self.unreadable += spool.count
        self._finish(spool)
