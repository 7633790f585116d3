"""What a SQLite store of a million stream ids costs for one of them: `python -m benchmarks.faults.ids`.

Each tenth id has clusters and a name. Rows are milliseconds of one call for a random id: load, save (twelve clusters),
model_of, reserve (what opening a new stream asks), forget, and expire, which finds the ids that nobody used for a month
and deletes one of them. `ids_1e1` is a store of ten ids. The file, of a gigabyte, is deleted at the end. It lies in
memory where there is /dev/shm, so that the store is measured: a disk adds three of its flushes to forget and expire.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.results import Numbers, quartiles, save
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.cluster_codec import pack_clusters
from motionscribe_server.storage.sqlite_file import PADDING
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.storage.store import Store
from motionscribe_server.storage.unused import Kept

MODEL = "cmu-expmap/1"
CLUSTERS = [ClusterState(id, "", 0, True, np.zeros(64), 1.0, 0, 0, 0, 0.0) for id in range(1, 13)]
MONTH_S = 30 * 86400.0
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it


def fill(path: Path, ids: int) -> Store:
    """A store whose ids were used one after the other in the last two months."""
    real, store = time.time, SqliteStore(path)
    begin = real() - 2 * MONTH_S
    connection = store._connection  # noqa: SLF001  # a commit for each id would take hours
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    none, packed = pack_clusters([]), pack_clusters(CLUSTERS)
    for first in range(0, ids, 10_000):
        numbers = range(first, min(first + 10_000, ids))
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO streams VALUES (?, ?, 13, 1, ?, ?)",
            [(MODEL, name_of(n), *((b"", none) if n % 10 else (PADDING, packed))) for n in numbers],
        )
        connection.executemany(
            "INSERT INTO ids (stream, tenant, used_s, named, durable, session) VALUES (?, '', ?, ?, 0, '')",
            [(name_of(n), begin + 2 * MONTH_S * n / ids, n % 10 == 0) for n in numbers],
        )
        connection.execute("COMMIT")
    store.close()
    return SqliteStore(path)


def name_of(number: int) -> str:
    """As the command line makes ids: in no order."""
    return f"walk-{number * 2654435761 % 2**32:08x}"


def milliseconds(call: Callable[[], object]) -> float:
    """Of one call."""
    begin = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - begin)


def expire_one(store: Store) -> None:
    """As the server does, where one is old."""
    store.expire(store.unused(Kept.UNNAMED, MONTH_S)[:1])


def measure(ids: int, rounds: int, folder: Path | None) -> dict[str, Numbers]:
    """Rows of a store of so many ids."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = fill(Path(place) / "store.sqlite", ids)
        chance, new = random.Random(0), iter(range(ids, 2 * ids + rounds))
        pick: Callable[[], str] = lambda: name_of(chance.randrange(ids))  # noqa: E731
        calls: dict[str, Callable[[], object]] = {
            "load": lambda: store.load(MODEL, pick()),
            "save": lambda: store.save(MODEL, pick(), 13, CLUSTERS),
            "edit": lambda: store.edit(pick(), lambda stored: stored, b"edit"),
            "begin": lambda: store.begin(pick(), "session"),
            "model_of": lambda: store.model_of(pick()),
            "reserve": lambda: store.reserve(name_of(next(new)), 10 * ids + rounds, 300.0, set()),
            "forget": lambda: store.forget(pick()),
            "expire": lambda: expire_one(store),
        }
        row = f"ids_1e{len(str(ids)) - 1}"
        rows = {
            f"{row}/{name}_ms": quartiles([milliseconds(call) for _ in range(rounds)]) for name, call in calls.items()
        }
        store.close()
    return rows


def main() -> None:
    """Fills, measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--folder", type=Path, default=MEMORY if MEMORY.is_dir() else None)
    options = parser.parse_args()
    for ids in (10, options.ids):
        rows = measure(ids, options.rounds, options.folder)
        save(__file__, next(iter(rows)).partition("/")[0], rows)


if __name__ == "__main__":
    main()
