"""Messages on disk: one SQLite file that one process has to itself as long as it is open.

SQLite's own lock says who has it, and falls with the process, however that ends: the next one may take the file over.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

FORMAT = 1
"""Of the table, in SQLite's user_version."""


class Spool:
    """An ordered queue of numbered texts. Raises sqlite3.Error where the disk, or another process, forbids it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._past = -(1 << 63)
        """Rows up to this number are gone, though a full disk may not have let them go."""
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        # a text that is not UTF-8 is its reader's to judge
        self._db.text_factory = lambda octets: octets.decode(errors="replace")
        try:
            for setting in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
                self._db.execute(f"PRAGMA {setting}")
            self._db.execute("BEGIN EXCLUSIVE")
            (found,) = self._db.execute("PRAGMA user_version").fetchone()
            if found not in (0, FORMAT):
                raise sqlite3.DatabaseError(f"expected a queue of format {FORMAT}, got {found}")
            self._db.execute("CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")
            self._db.execute(f"PRAGMA user_version={FORMAT}")
            self._db.execute("COMMIT")
            self.count: int = self._db.execute("SELECT count(*) FROM messages").fetchone()[0]
            self._file = _identity(path)
        except BaseException:
            self._db.close()
            raise

    @property
    def is_there(self) -> bool:
        """Whether the file still has its name: what nobody finds again is lost at the end."""
        return self._file is not None and _identity(self.path) == self._file

    def add(self, rows: Sequence[tuple[int, str]]) -> None:
        """All of them or none. Numbers rise."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT INTO messages VALUES (?, ?)", rows)
        self.count += len(rows)

    def first(self, most: int) -> list[tuple[int, str]]:
        """The oldest."""
        query = "SELECT number, text FROM messages WHERE number > ? ORDER BY number LIMIT ?"
        return self._db.execute(query, (self._past, most)).fetchall()

    def remove(self, number: int) -> None:
        """All up to this number. A full disk forbids even that: then the rows stay, but count no more here."""
        query = "SELECT count(*) FROM messages WHERE number > ? AND number <= ?"
        self.count -= self._db.execute(query, (self._past, number)).fetchone()[0]
        self._past = max(self._past, number)
        with suppress(sqlite3.OperationalError):
            self._db.execute("DELETE FROM messages WHERE number <= ?", (number,))

    def drop(self, most: int) -> int:
        """Removes the oldest; returns how many."""
        rows = self.first(most)
        if rows:
            self.remove(rows[-1][0])
        return len(rows)

    def close(self) -> None:
        """Leaves the file for the next process, but not an empty one."""
        there = self.is_there
        self._db.close()
        if there and not self.count:
            discard(self.path)


def discard(path: Path) -> None:
    """Removes a queue with what SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + ending).unlink()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
