"""One SQLite file, open to its owner only: connection, transactions and errors, for all tables in it.

In: SQL. Out: rows, or a StoreError that names the file. It knows no table. Calls block for a disk access: keep them off
the event loop, in one thread at a time.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from motionscribe_server.errors import StoreError

BUSY_S = 5.0  # another process holds the file: a backup, a second server
PADDING = bytes(1002)
"""Stands in each row between its key and what people would want to be gone once it is deleted.

SQLite overwrites what it deletes, but not the copies that stay behind where it moves rows from page to page. It moves
the beginning of a row only, at most so many bytes of a page of 4096: the rest has pages of its own, which stay where
they are until they are overwritten.
"""
FOLD_S = 0.5  # nobody waits for what is tried again


class SqliteFile:
    """An open file. Raises StoreError where it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log_has_deleted = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # the files that SQLite makes beside it get the same rights
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
            # one thread at a time is promised by the caller, not always the same one
            self.connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path}: expected a file that can be opened, got {error}") from error

    @contextmanager
    def errors(self, what: str) -> Iterator[None]:
        """Turns errors of SQLite into a StoreError: "cannot `what`"."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot {what}: {error}") from error

    @contextmanager
    def transaction(self, what: str, lasting: bool = False) -> Iterator[None]:
        """Commits what is written inside, or rolls it back when anything is raised. Raises StoreError.

        Every transaction outlives a killed process. A power cut may take the last ones that are not `lasting`.
        """
        with self.errors(what):
            self.connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def truncate_log(self) -> None:
        """Removes deleted rows from the write-ahead log, too.

        Another process that reads for longer than FOLD_S keeps them there: `retry_truncate` tries again.
        """
        with self.errors("fold its log"):
            self.connection.execute(f"PRAGMA busy_timeout = {round(1e3 * FOLD_S)}")
            try:
                is_busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self.connection.execute(f"PRAGMA busy_timeout = {round(1e3 * BUSY_S)}")
        self._log_has_deleted = bool(is_busy)

    def retry_truncate(self) -> None:
        """Does what `truncate_log` could not do, where there is anything left to do."""
        if self._log_has_deleted:
            self.truncate_log()

    def close(self) -> None:
        """Ends the connection; SQLite folds its log into the file."""
        self.connection.close()
