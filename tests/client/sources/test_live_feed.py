"""A live feed: a source for each person, fed by a thread that waits for nobody."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from tests.support.scripted_server import COLUMNS, ScriptedServer
from tests.support.told_feed import SKELETON, STEP_US, ToldReader, moments_of, standing
from tests.support.waiting import wait_until

from motionscribe import AsyncClient, FrameBlock
from motionscribe.errors import NotFound
from motionscribe.events import Label
from motionscribe.sources import live_feed
from motionscribe.sources.gate import MOST_PEOPLE
from motionscribe.sources.json_feeds import udp
from motionscribe.sources.json_feeds.udp import UdpReader
from motionscribe.sources.live_feed import LiveFeed, Reader
from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.mvn import reader as mvn
from motionscribe.sources.mvn.reader import MvnReader
from motionscribe.sources.push import PushSource
from motionscribe.sources.vmc import feed as vmc
from motionscribe.sources.vmc.feed import VmcReader
from motionscribe_models.skeleton import Skeleton, feature_skeleton

Heard = Iterable[Moment | Exception | None]


def people_of(heard: Heard, **options: bool | float) -> dict[str, tuple[PushSource, np.ndarray]]:
    """Sources by name, and the times that came by them."""
    found: dict[str, tuple[PushSource, np.ndarray]] = {}

    async def take(person: PushSource) -> None:
        blocks = [block async for block in person.blocks(5)]
        found[person.name] = person, np.concatenate([block.timestamps_us for block in blocks])

    async def run() -> None:
        feed = LiveFeed("hall", ToldReader(heard), **{"several": True, **options})  # type: ignore[arg-type]  # of options
        async with asyncio.TaskGroup() as tasks, aclosing(feed.people()) as people:
            async for person in people:
                tasks.create_task(take(person))

    asyncio.run(run())
    return found


def test_each_person_is_a_source_with_all_of_their_frames() -> None:
    found = people_of(moments_of([[standing(0, "eve")] + [standing(3, "ada")] * (n > 20) for n in range(60)]))
    assert {*found} == {"hall-eve", "hall-ada"}
    (eve, eves), (ada, adas) = found["hall-eve"], found["hall-ada"]
    assert (eve.person, ada.person) == ("eve", "ada")
    np.testing.assert_array_equal(eves, np.arange(60) * STEP_US)
    np.testing.assert_array_equal(adas, np.arange(21, 60) * STEP_US)


def test_the_rate_is_measured_unless_somebody_knows_it() -> None:
    moments = moments_of([[standing(0, "eve")]] * 30)
    assert people_of(moments)["hall-eve"][0].rate_hz == 1e6 / STEP_US
    assert people_of(moments, rate_hz=50.0)["hall-eve"][0].rate_hz == 50.0
    (eve,) = people_of(moments[:1]).values()
    assert (eve[0].rate_hz, len(eve[1])) == (SKELETON.rate_hz, 1)  # one frame says nothing, and is not lost


def test_another_skeleton_ends_the_source_and_begins_the_next() -> None:
    other = Skeleton("two", SKELETON.joints[:2], (-1, -1), "positions", "m", 1.0, "y", 30.0)
    ended: list[tuple[int, int]] = []

    async def run() -> None:
        frames = [[standing(0, "eve", SKELETON if n < 20 else other)] for n in range(50)]
        async with aclosing(LiveFeed("hall", ToldReader(moments_of(frames))).people()) as people:
            async for person in people:
                assert person.skeleton
                count = sum([len(block) async for block in person.blocks(5)])
                ended.append((person.skeleton.width, count))

    asyncio.run(run())
    assert ended == [(9, 20), (6, 30)]


def test_a_clock_of_whole_milliseconds_has_the_rate_that_it_has() -> None:
    heard = [replace(m, time_us=round(n / 0.12) * 1000) for n, m in enumerate(moments_of([[standing(0, "eve")]] * 30))]
    assert people_of(heard)["hall-eve"][0].rate_hz == pytest.approx(120, abs=1)


def test_ids_that_are_new_in_every_frame_are_nobody() -> None:
    moments = moments_of([[standing(0, "eve"), standing(3, f"new-{n}")] for n in range(500)])
    found = people_of([*moments, *moments_of([[standing(0, "eve")]] * 300, 500)])
    assert {*found} == {"hall-eve"}


def test_no_more_people_are_let_in_than_there_is_room_for() -> None:
    crowd = [standing(0, f"p{n}") for n in range(MOST_PEOPLE + 20)]
    assert len(people_of(moments_of([crowd] * 20))) == MOST_PEOPLE


def test_those_for_whom_there_is_no_room_are_told_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    crowd = [standing(0, f"p{n}") for n in range(MOST_PEOPLE + 2)]
    feed = LiveFeed("hall", ToldReader(moments_of([crowd] * 20)), several=True)
    wait_until(lambda: feed.dropped == 2 * 20)
    assert [record.message for record in caplog.records] == ["hall: left out: p64 and others, with 64 people there"]


def test_two_programs_that_are_one_person_are_told_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    other = Skeleton("two", SKELETON.joints[:2], (-1, -1), "positions", "m", 1.0, "y", 30.0)
    frames = [[standing(0, "eve", other if n % 2 else SKELETON)] for n in range(500)]
    feed = LiveFeed("hall", ToldReader(moments_of(frames)), several=True)
    wait_until(lambda: feed.dropped == 499)
    assert [record.message for record in caplog.records] == [
        "hall: eve goes on with another skeleton",
        "hall: eve goes on with another skeleton (such changes so far: 10)",
        "hall: eve goes on with another skeleton (such changes so far: 100)",
    ]


def test_of_those_whom_nobody_asks_for_the_newest_are_kept() -> None:
    def heard() -> Iterator[Moment]:
        for n in range(200):
            start = n * 300
            yield from moments_of([[standing(0, f"p{n}")]] * 12 + [[standing(3, "eve")]] * 288, start)

    feed = LiveFeed("hall", ToldReader(heard()), several=True)
    wait_until(lambda: feed.dropped >= 12 * (201 - MOST_PEOPLE))

    async def run() -> list[str]:
        async with aclosing(feed.people()) as people:
            return [person.person async for person in people]

    assert asyncio.run(run()) == ["eve", *[f"p{n}" for n in range(200)][1 - MOST_PEOPLE :]]


GARBAGE: dict[str, tuple[ModuleType, Callable[[tuple[str, int]], Reader], bytes]] = {
    "udp": (udp, UdpReader, b"{}"),
    "mvn": (mvn, MvnReader, b"MXTP"),
    "vmc": (vmc, VmcReader, b"/VMC/Ext/OK\0,i\0\0\0\0\0\1"),
}


@pytest.mark.parametrize("scheme", GARBAGE)
def test_packets_that_are_passed_over_are_silence(
    scheme: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module, reader, packet = GARBAGE[scheme]
    monkeypatch.setattr(module, "datagrams", lambda address: itertools.repeat((0, packet, "host")))
    monkeypatch.setattr(live_feed, "HINT_S", 0.0)

    async def people(feed: LiveFeed) -> None:
        async with aclosing(feed.people()) as people:
            assert [person async for person in people] == []

    but = ", but [1-9][0-9]* packets that are something else"
    with pytest.raises(NotFound, match=f"got nothing{but if scheme != 'vmc' else ''}$"):
        asyncio.run(people(LiveFeed("hall", reader(("", 1)), silence_s=0.02)))
    assert "hall: waiting for " in caplog.text
    feed = LiveFeed("hall", reader(("", 1)))
    feed.close()
    with pytest.raises(NotFound):
        asyncio.run(people(feed))


def test_a_pause_of_the_feed_ends_nobody() -> None:
    late = [replace(m, arrived_us=m.arrived_us + 10_000_000) for m in moments_of([[standing(0, "eve")]] * 20, 500)]
    found = people_of([*moments_of([[standing(0, "eve")]] * 20), *[None] * 100, *late])
    assert len(found["hall-eve"][1]) == 40


def blocks_of(feed: LiveFeed) -> list[FrameBlock]:
    async def run() -> list[FrameBlock]:
        return [block async for block in feed.blocks(4)]

    return asyncio.run(run())


def test_as_one_source_it_is_one_person_after_the_other() -> None:
    frames = [[standing(0, "eve")] * (n < 40) + [standing(3, "ada")] * (n > 20) for n in range(400)]
    blocks = blocks_of(LiveFeed("hall", ToldReader(moments_of(frames))))
    times = np.concatenate([block.timestamps_us for block in blocks])
    assert np.all(np.diff(times) > 0)
    assert times[-1] == 399 * STEP_US
    assert [block.first_seq for block in blocks] == [1, *(block.next_seq for block in blocks[:-1])]


def test_a_stream_opens_when_somebody_is_there() -> None:
    began = threading.Event()
    machine = Body(feature_skeleton("machine", COLUMNS, 30.0), np.array([3, 0], np.float32), person="1")

    def heard() -> Iterator[Moment | None]:
        while not began.wait(0.05):
            yield None
        yield from moments_of([[machine]] * 30)

    async def run(address: str) -> list[Label]:
        async with AsyncClient(address) as client:
            stream = client.stream(LiveFeed("hall", ToldReader(heard())), stream_id="hall")
            opening = asyncio.create_task(stream.open())
            await asyncio.sleep(0.2)
            assert not opening.done()
            began.set()
            await opening
            return [event async for event in stream if isinstance(event, Label)]

    with ScriptedServer() as server:
        labels = asyncio.run(run(server.address))
        assert [label.cluster for label in labels] == [3] * 30
        assert server.opens[0].WhichOneof("layout") == "skeleton"
        assert server.opens[0].rate_hz == 1e6 / STEP_US


def test_nobody_there_is_an_error_that_says_what_was_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_feed, "OPENING_S", 0.1)
    reader = ToldReader(itertools.repeat(None))
    reader.strange = 7
    with pytest.raises(NotFound, match=r"expected a test within 0\.1 s, got nothing, but 7 packets"):
        blocks_of(LiveFeed("hall", reader))

    async def wait() -> None:
        async with aclosing(LiveFeed("hall", ToldReader([None] * 3)).people()) as people:
            async for _ in people:
                raise AssertionError("somebody came")

    with pytest.raises(NotFound, match="expected a test, got nothing"):
        asyncio.run(wait())


def test_a_reader_that_fails_is_told_after_what_it_heard() -> None:
    came: list[int] = []

    async def run() -> None:
        heard: Heard = [*moments_of([[standing(0, "eve")]] * 30), OSError("the network is gone")]
        async with aclosing(LiveFeed("hall", ToldReader(heard)).people()) as people:
            async for person in people:
                came.extend([len(block) async for block in person.blocks(4)])

    with pytest.raises(OSError, match="the network is gone"):
        asyncio.run(run())
    assert sum(came) == 30


def test_a_silent_feed_ends_and_its_reader_is_closed() -> None:
    reader = ToldReader(itertools.chain(moments_of([[standing(0, "eve")]] * 30), itertools.repeat(None)))

    async def run() -> int:
        async with aclosing(LiveFeed("hall", reader, silence_s=0.1).people()) as people:
            return sum([len(block) async for person in people async for block in person.blocks(4)])

    assert asyncio.run(run()) == 30
    assert reader.closed


def test_frames_that_nobody_takes_go_and_are_counted() -> None:
    heard = moments_of([[standing(0, "eve")]] * 1000)

    async def run() -> tuple[int, int]:
        async with aclosing(LiveFeed("hall", ToldReader(heard)).people()) as people:
            async for person in people:
                while not person.dropped or person.dropped < 744:
                    await asyncio.sleep(0.01)
                return sum([len(block) async for block in person.blocks(50)]), person.dropped
        raise AssertionError("nobody came")

    assert asyncio.run(run()) == (256, 744)


def test_the_clock_of_the_sender_is_kept_beside_ours() -> None:
    heard = [replace(m, time_us=round(m.time_us * 1.002)) for m in moments_of([[standing(0, "eve")]] * 1000)]
    (person, _), *_ = people_of(heard).values()
    assert person.clock
    assert person.clock.drift_ppm == pytest.approx(2000, abs=5)
    assert person.clock.here_us(heard[-1].time_us) == pytest.approx(heard[-1].arrived_us, abs=10_000)


def test_each_of_several_senders_has_a_clock() -> None:
    eve = moments_of([[standing(0, "eve")]] * 300)
    ada = [replace(m, time_us=m.time_us + 10**15, bodies=[standing(3, "ada")]) for m in eve]
    feed = LiveFeed("hall", ToldReader([m for both in zip(eve, ada, strict=True) for m in both]), several=True)

    async def run() -> dict[str, PushSource]:
        async with aclosing(feed.people()) as people:
            return {person.person: person async for person in people}

    people = asyncio.run(run())
    for person, moments in (("eve", eve), ("ada", ada)):
        clock = people[person].clock
        assert clock
        assert clock.here_us(moments[-1].time_us) == moments[-1].arrived_us
        assert clock.jumps == 0
    assert feed.clock.here_us(eve[-1].time_us) == eve[-1].arrived_us  # the first one's
