"""A receiver that is away loses nothing and delays nobody; what waits is bounded, on disk, and counted."""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import ClassVar

import pytest
from tests.support.made_up_outlet import ADDRESS, INFO, MadeUp, files, leave_behind
from tests.support.messages import EVERY_EVENT, finals, numbers
from tests.support.waiting import wait_until

from motionscribe.events import ClusterNamed, Label
from motionscribe.feed_clock import FeedClock
from motionscribe.sinks import StreamInfo, relay
from motionscribe.sinks.message import Message
from motionscribe.sinks.outlet import Down, Refused
from motionscribe.sinks.relay import Relay, ending_together, relayed


def test_all_events_arrive_in_order_as_they_are_and_leave_no_file() -> None:
    outlet = MadeUp()
    clock = FeedClock()
    clock.take(1_000_000, 1_764_350_000_000_000)
    with relayed(ADDRESS, outlet) as make:
        sink = make(StreamInfo("gym/1", "a title", {7: "walk"}, clock=clock))
        for event in EVERY_EVENT:
            sink.write(event)
        sink.close()
    assert [message.event for message in outlet.came] == list(EVERY_EVENT)
    assert len({message.id for message in outlet.came}) == len(EVERY_EVENT)
    assert [message.name for message in outlet.came if isinstance(message.event, Label)] == ["walk", "walk"]
    assert '"time": "2025-11-28T17:13:19.100000Z"' in outlet.texts[0]
    assert (outlet.left, outlet.closed, files()) == (["gym/1"], True, [])


def test_labels_have_a_new_name_as_soon_as_it_is_told() -> None:
    outlet = MadeUp()
    events = finals(3)
    with relayed(ADDRESS, outlet) as make:
        sink = make(StreamInfo("gym/1", "a title", {7: "walk"}))
        for event in (events[0], ClusterNamed(7, "stroll", 1), events[1], ClusterNamed(7, "", 2), events[2]):
            sink.write(event)
    assert [json.loads(text)["name"] for text in outlet.texts] == ["walk", "stroll", "stroll", "", ""]


def test_one_that_is_away_at_first_gets_all_in_order_from_disk(caplog: pytest.LogCaptureFixture) -> None:
    outlet = MadeUp(away=True)
    under_way = Relay(ADDRESS, outlet)
    sink = under_way.sink(INFO)
    for event in finals(100):
        sink.write(event)
    wait_until(lambda: bool(files()) and outlet.tries > 3)
    assert under_way.state.down_since
    assert under_way.state.waiting == 100
    outlet.there.set()
    wait_until(lambda: under_way.state.down_since is None)
    sink.write(finals(101)[-1])
    under_way.close()
    assert numbers(outlet.texts) == list(range(1, 102))
    state = under_way.state
    assert (state.sent, state.repeated, state.waiting, state.dropped) == (101, 8, 0, 0)
    assert files() == []
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "made-up is down, events wait: nobody listens"
    assert told[1].startswith("made-up is back after 0 s, ")
    assert len(told) == 2


def test_nobody_waits_for_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    outlet = MadeUp()
    outlet.free.clear()
    with relayed(ADDRESS, outlet) as make:
        sink = make(INFO)
        begun = time.monotonic()
        for event in finals(1000):
            sink.write(event)
        took_s = time.monotonic() - begun
        wait_until(lambda: bool(files()))  # on disk already, though the outlet has not come back
        outlet.free.set()
    assert took_s < 1.0
    assert numbers(outlet.texts) == list(range(1, 1001))


def test_the_end_waits_for_a_while_and_the_next_command_sends_the_rest_first(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    leave_behind(finals(20), monkeypatch)
    assert "20 events wait for the next command with this address" in caplog.text
    leave_behind(finals(3), monkeypatch)
    assert len(files()) == 2
    with relayed("made-up:elsewhere", other := MadeUp()) as make:
        make(INFO).write(finals(1)[0])
    assert numbers(other.texts) == [1]
    with relayed(ADDRESS, outlet := MadeUp()) as make:
        make(INFO).write(finals(50)[-1])
    assert numbers(outlet.texts) == [*range(1, 21), *range(1, 4), 50]
    runs = [message.run for message in outlet.came]
    assert len(dict.fromkeys(runs)) == 3
    assert files() == []


def test_what_comes_from_disk_is_the_same_to_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [event for event in EVERY_EVENT if not Message("r", 1, "s", event).is_picture]
    first = MadeUp()
    first.answers = False
    monkeypatch.setattr(relay, "PATIENCE_S", 0.05)
    with relayed(ADDRESS, first) as make:
        for event in kept:
            make(INFO).write(event)
    with relayed(ADDRESS, second := MadeUp()):
        pass
    assert [message.event for message in second.came] == kept
    # it took some before it broke: a receiver can tell that they came again
    assert set(first.texts) <= set(second.texts)
    assert first.texts


def test_two_commands_at_a_time_do_not_take_each_others_events(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = MadeUp(away=True), MadeUp()
    first = Relay(ADDRESS, one)
    for event in finals(10):
        first.sink(INFO).write(event)
    wait_until(lambda: bool(files()))
    with relayed(ADDRESS, two) as make:
        make(INFO).write(finals(99)[-1])
    one.there.set()
    first.close()
    assert numbers(one.texts) == list(range(1, 11))
    assert numbers(two.texts) == [99]


def test_pictures_are_replaced_while_nobody_takes_them_and_are_not_lost_events() -> None:
    outlet = MadeUp(away=True)
    under_way = Relay(ADDRESS, outlet)
    sink = under_way.sink(INFO)
    provisional = [Label(n, n + 1, n, n + 1, 7, 0.5, False) for n in range(50)]
    for event in [*provisional, *finals(3)]:
        sink.write(event)
    wait_until(lambda: under_way.state.waiting == 3)
    outlet.there.set()
    wait_until(lambda: not under_way.state.waiting and under_way.state.down_since is None)
    sink.write(provisional[-1])
    under_way.close()
    assert [message.event for message in outlet.came if not message.is_picture] == finals(3)
    assert outlet.came[-1].event == provisional[-1]
    assert under_way.state.dropped == 0


@pytest.mark.parametrize("error", [Refused("it answers 400"), ZeroDivisionError("a mistake")])
def test_what_is_refused_is_counted_told_and_left_out(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    outlet = MadeUp(away=True)
    outlet.error = error
    under_way = Relay(ADDRESS, outlet)
    under_way.sink(INFO).write(finals(1)[0])
    wait_until(lambda: under_way.state.refused == 1)
    outlet.there.set()
    under_way.sink(INFO).write(finals(2)[1])
    under_way.close()
    assert numbers(outlet.texts) == [2]
    assert "made-up refuses events" in caplog.text
    assert "1 events were refused" in caplog.text


def test_a_receiver_is_left_alone_for_as_long_as_it_asks() -> None:
    outlet = MadeUp(away=True)
    outlet.error = Down("busy", 0.5)
    under_way = Relay(ADDRESS, outlet)
    begun = time.monotonic()
    under_way.sink(INFO).write(finals(1)[0])
    wait_until(lambda: outlet.tries == 2)
    assert time.monotonic() - begun > 0.45
    outlet.there.set()
    under_way.close()
    assert numbers(outlet.texts) == [1]


def test_ctrl_c_ends_the_wait_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = Relay(ADDRESS, MadeUp(away=True))
    under_way.sink(INFO).write(finals(1)[0])

    def interrupted(patience_s: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(under_way._thread, "join", interrupted)  # noqa: SLF001  a key that nobody can press here
        with pytest.raises(KeyboardInterrupt):
            under_way.close()
    with relayed(ADDRESS, outlet := MadeUp()):
        pass
    assert numbers(outlet.texts) == [1]


def test_a_slow_receiver_gets_fewer_at_a_time_and_more_again_when_it_is_fast() -> None:
    class Slow(MadeUp):
        """Can take two at a time, at first."""

        most = 64
        capacity = 2

        def send(self, messages: Sequence[Message]) -> None:
            self.sizes.append(len(messages))
            if len(messages) > self.capacity:
                raise TimeoutError("timed out")
            super().send(messages)

        sizes: ClassVar[list[int]] = []

    outlet = Slow()
    under_way = Relay(ADDRESS, outlet)
    sink = under_way.sink(INFO)
    for event in finals(500):
        sink.write(event)
    wait_until(lambda: under_way.state.sent > 20)
    outlet.capacity = 64
    under_way.close()
    assert numbers(outlet.texts) == list(range(1, 501))
    assert outlet.sizes[-2] == 64


def test_what_a_receiver_has_of_a_batch_is_not_sent_again() -> None:
    class Partly(MadeUp):
        """Takes three of a batch at most."""

        def send(self, messages: Sequence[Message]) -> None:
            super().send(messages[:3])
            if len(messages) > 3:
                raise Down("no acknowledgement", slow=True, delivered=3)

    with relayed(ADDRESS, outlet := Partly()) as make:
        for event in finals(30):
            make(INFO).write(event)
    assert numbers(outlet.texts) == list(range(1, 31))


def test_receivers_that_hang_share_the_patience_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "PATIENCE_S", 0.3)
    outlets = [MadeUp() for _ in range(3)]
    with ExitStack() as stack:
        with ending_together():
            makers = [stack.enter_context(relayed(f"{ADDRESS}-{n}", outlet)) for n, outlet in enumerate(outlets)]
        for outlet, make in zip(outlets, makers, strict=True):
            outlet.free.clear()
            make(INFO).write(finals(1)[0])
        begun_s = time.monotonic()
    took_s = time.monotonic() - begun_s
    for outlet in outlets:
        outlet.free.set()
    assert 0.25 < took_s < 0.85  # one after the other would take 0.9
