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
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
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
        except BaseException:
            self._db.close()
            raise

    def add(self, rows: Sequence[tuple[int, str]]) -> None:
        """All of them or none. Numbers rise."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT INTO messages VALUES (?, ?)", rows)
        self.count += len(rows)

    def first(self, most: int) -> list[tuple[int, str]]:
        """The oldest."""
        return self._db.execute("SELECT number, text FROM messages ORDER BY number LIMIT ?", (most,)).fetchall()

    def remove(self, number: int) -> None:
        """All up to this number."""
        self.count -= self._db.execute("DELETE FROM messages WHERE number <= ?", (number,)).rowcount

    def drop(self, most: int) -> int:
        """Removes the oldest; returns how many."""
        rows = self._db.execute("SELECT number FROM messages ORDER BY number LIMIT ?", (most,)).fetchall()
        if rows:
            self.remove(rows[-1][0])
        return len(rows)

    def close(self) -> None:
        """Leaves the file for the next process, but not an empty one."""
        self._db.close()
        if not self.count:
            with suppress(OSError):
                self.path.unlink()
