"""A stream that is taken over goes on from all that its last owner wrote, however long that one went on writing."""

from dataclasses import replace
from threading import Event, Thread

import pytest
from tests.server.storage.test_checkpoints import FIRST
from tests.support.waiting import PATIENCE_S

from motionscribe_server.errors import FencedError
from motionscribe_server.storage.open_store import open_store

KEY = FIRST.key


def test_a_checkpoint_that_is_newer_than_the_one_that_was_found(place: str) -> None:
    one, other = open_store(place), open_store(place)
    one.checkpoints.begin(FIRST)
    one.checkpoints.append(KEY, 1, [(1, b"a"), (2, b"b")])
    found = other.checkpoints.find(KEY)
    assert found is not None
    newer = replace(FIRST, next_seq=91, last_event=2, snapshot=b"newer")
    one.checkpoints.keep(newer, acknowledged=1)
    one.checkpoints.append(KEY, 1, [(3, b"c")], [(1, b"edit")])
    taken = other.checkpoints.take_over(KEY, found.checkpoint.epoch)
    assert taken == (replace(newer, epoch=2), [(2, b"b"), (3, b"c")], [(1, b"edit")], [])
    for store in (one, other):
        with pytest.raises(FencedError):
            store.checkpoints.take_over(KEY, 1)
        with pytest.raises(FencedError):
            store.checkpoints.take_over("nobody", 1)


@pytest.mark.parametrize("round_", range(5))
def test_an_owner_that_writes_meanwhile(place: str, round_: int) -> None:
    """What it wrote without being refused, the next owner has."""
    one, other = open_store(place), open_store(place)
    one.checkpoints.begin(FIRST)
    written, enough = [0], Event()

    def write() -> None:
        try:
            for number in range(1, 10_000):
                one.checkpoints.append(KEY, 1, [(number, b"%d" % number)])
                written[0] = number
                if number == 5 * (round_ + 1):
                    enough.set()
                one.checkpoints.keep(replace(FIRST, next_seq=number, last_event=number), acknowledged=0)
        except FencedError:
            pass

    writer = Thread(target=write)
    writer.start()
    assert enough.wait(PATIENCE_S)
    checkpoint, outbox, *_ = other.checkpoints.take_over(KEY, 1)
    writer.join()
    numbers = [number for number, _ in outbox]
    assert numbers == list(range(1, written[0] + 1))
    assert written[0] - 1 <= checkpoint.last_event <= written[0]
