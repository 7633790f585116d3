"""What waits for a viewer who reads slowly."""

import asyncio

import pytest

from motionscribe.page.outgoing import Outgoing, TooSlowError


async def take_all(outgoing: Outgoing) -> list[str]:
    """What waits, until nothing does."""
    taken = []
    while True:
        try:
            taken.append(await asyncio.wait_for(outgoing.take(), 0.01))
        except TimeoutError:
            return taken


def test_every_event_stays_and_of_pictures_the_newest() -> None:
    async def test() -> None:
        outgoing = Outgoing()
        for n in range(1000):
            outgoing.replace("poses", f"pose {n}")
            outgoing.put(f"event {n}")
        outgoing.replace("clusters", "clusters 1")
        assert await take_all(outgoing) == [*(f"event {n}" for n in range(1000)), "pose 999", "clusters 1"]
        waiting = asyncio.create_task(outgoing.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        outgoing.put("event 1000")
        assert await waiting == "event 1000"

    asyncio.run(test())


def test_what_waits_of_a_stream_that_was_left_is_dropped_and_nothing_else() -> None:
    async def test() -> None:
        outgoing = Outgoing()
        for stream in (None, "gym", "lab"):
            outgoing.put(f"event of {stream}", stream)
        outgoing.replace("poses", "poses of gym", "gym")
        outgoing.replace("streams", "streams")
        outgoing.drop_stream("gym")
        assert await take_all(outgoing) == ["event of None", "event of lab", "streams"]

    asyncio.run(test())


def test_a_long_message_is_written_when_it_is_its_turn() -> None:
    async def test() -> None:
        outgoing, written = Outgoing(), []

        def write() -> str:
            written.append("long")
            return "long"

        outgoing.put("first")
        outgoing.put(write)
        assert await outgoing.take() == "first"
        assert written == []
        assert await outgoing.take() == "long"

    asyncio.run(test())


def test_who_never_reads_is_given_up_and_costs_no_memory() -> None:
    async def test() -> None:
        outgoing = Outgoing(most_waiting=3)
        giving_up = asyncio.create_task(outgoing.wait_until_overfull())
        for _ in range(3):
            outgoing.put("event")
            outgoing.replace("poses", "pose")
        await asyncio.sleep(0)
        assert not giving_up.done()
        for _ in range(3):
            outgoing.put("event")
        with pytest.raises(TooSlowError, match="got 3 messages"):
            await giving_up
        assert await take_all(outgoing) == ["pose"]

    asyncio.run(test())
