"""A key is held by one at a time in the order of asking, keys do not know each other, and nothing is left behind."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from motionscribe_server.streams.key_locks import KeyLocks


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=20))
def test_whoever_comes_first_goes_first_and_nothing_is_left(work: list[tuple[str, int, bool]]) -> None:
    locks, inside, order = KeyLocks(), list[str](), list[tuple[str, int]]()

    async def use(number: int, key: str, rounds: int, fails: bool) -> None:
        async with locks.hold(key):
            assert key not in inside
            assert key in locks.in_use()
            inside.append(key)
            order.append((key, number))
            for _ in range(rounds):
                await asyncio.sleep(0)
            inside.remove(key)
            if fails:
                raise ValueError(key)

    async def run() -> None:
        uses = [use(number, *each) for number, each in enumerate(work)]
        await asyncio.gather(*uses, return_exceptions=True)

    asyncio.run(run())
    for key in "abc":
        numbers = [number for its, number in order if its == key]
        assert numbers == [number for number, (its, _, _) in enumerate(work) if its == key]
    assert locks.in_use() == frozenset()


def test_who_waits_may_be_cancelled_and_a_free_key_is_had_at_once() -> None:
    async def run() -> None:
        locks = KeyLocks()

        async def hold() -> None:
            async with locks.hold("a"):
                await asyncio.Event().wait()

        holding, waiting = asyncio.create_task(hold()), asyncio.create_task(hold())
        await asyncio.sleep(0)
        async with asyncio.timeout(1), locks.hold("b"):
            assert locks.in_use() == {"a", "b"}
        for task in (waiting, holding):
            task.cancel()
            await asyncio.wait([task])
        assert locks.in_use() == frozenset()

    asyncio.run(run())
