"""What waits for a viewer who reads slowly."""

import asyncio

import pytest

from motionscribe.page.outgoing import Outgoing, TooSlowError


def test_every_event_stays_and_of_pictures_the_newest() -> None:
    async def test() -> None:
        outgoing = Outgoing()
        for n in range(1000):
            outgoing.replace({"is": "poses", "n": n})
            outgoing.put({"is": "event", "n": n})
        outgoing.replace({"is": "clusters", "n": 1})
        events = [{"is": "event", "n": n} for n in range(1000)]
        assert await outgoing.take() == [*events, {"is": "poses", "n": 999}, {"is": "clusters", "n": 1}]
        waiting = asyncio.create_task(outgoing.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        outgoing.put({"is": "event", "n": 1000})
        assert await waiting == [{"is": "event", "n": 1000}]

    asyncio.run(test())


def test_pictures_of_another_stream_are_dropped_and_its_events_are_not() -> None:
    async def test() -> None:
        outgoing = Outgoing()
        outgoing.put({"is": "event"})
        outgoing.replace({"is": "poses"})
        outgoing.drop_pictures()
        assert await outgoing.take() == [{"is": "event"}]

    asyncio.run(test())


def test_who_never_reads_is_given_up() -> None:
    outgoing = Outgoing(most_waiting=3)
    for _ in range(3):
        outgoing.put({"is": "event"})
        outgoing.replace({"is": "poses"})
    with pytest.raises(TooSlowError, match="got 3 messages"):
        outgoing.put({"is": "event"})
