"""Each viewer gets each event once and in order, whenever it comes: history first, then live."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from motionscribe.descriptions import StreamInfo
from motionscribe.events import Event, Gap, Label
from motionscribe.page.audience import Audience
from motionscribe.page.outgoing import Outgoing
from motionscribe.poses import Poses
from motionscribe_models.recordings import CMU_EXPMAP

STREAM = StreamInfo("gym", "body", "1", CMU_EXPMAP, 30.0, True, 0)


@dataclass
class Someone:
    """A viewer, and what it must be told after it came."""

    outgoing: Outgoing = field(default_factory=Outgoing)
    expected: list[int] = field(default_factory=list)

    def read(self) -> list[dict[str, Any]]:
        async def take() -> list[dict[str, Any]]:
            self.outgoing.replace("end", '{"is": "end"}')
            taken: list[dict[str, Any]] = []
            while not taken or taken[-1]["is"] != "end":
                taken.append(json.loads(await self.outgoing.take()))
            return taken[:-1]

        return asyncio.run(take())


# what happens: an event (a gap, or a label that may change or not) that ends so much later; or something else
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["gap", "final", "provisional"]), st.integers(0, 20)),
        st.tuples(st.sampled_from(["join", "leave", "read", "poses", "end"]), st.just(0)),
        st.tuples(st.just("open"), st.sampled_from([-1, 0, 1])),
    ),
    max_size=60,
)


@given(steps)
def test_history_and_live_have_no_seam(steps: list[tuple[str, int]]) -> None:
    audience = Audience("gym")
    audience.open(STREAM, 1_000_000)
    here: list[Someone] = []
    gone: list[Someone] = []
    kept: list[tuple[int, Event]] = []  # the slow twin of the history
    now, start = 1_000_000, 1_000_000
    for number, (step, by) in enumerate(steps):
        match step:
            case "gap" | "final" | "provisional":
                now += by
                event = (
                    Gap(number, number, now, now)
                    if step == "gap"
                    else Label(number, number, now - 10, now, 1, 0.5, step == "final")
                )
                audience.tell(event)
                if step == "final":
                    kept = [(n, one) for n, one in kept if not _is_overtaken(one, now)]
                kept.append((number, event))
                for someone in here:
                    someone.expected.append(number)
            case "join":
                here.append(Someone(expected=[n for n, _ in kept]))
                audience.join(here[-1].outgoing)
            case "leave" if here:
                someone = here.pop(0)
                gone.append(someone)
                audience.leave(someone.outgoing)
                assert someone.read() == []
            case "read" if here:  # some read in between
                someone = here[0]
                told = _numbers(someone.read())
                assert told == someone.expected[: len(told)]
                del someone.expected[: len(told)]
                assert someone.expected == []
            case "poses":
                audience.show(Poses(1, np.array([now]), np.zeros((1, 3), np.float32)))
            case "end":
                audience.end(None)
            case "open":
                audience.open(STREAM, start + by)
                if by < 0:
                    kept, start = [], start + by
    for someone in here:
        assert _numbers(someone.read()) == someone.expected
    for someone in gone:
        assert someone.read() == []


def _is_overtaken(event: Event, final_us: int) -> bool:
    return isinstance(event, Label) and not event.final and event.end_us <= final_us


def _numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [message["start_seq"] for message in messages if message["is"] == "event"]


def test_who_comes_later_is_told_in_this_order() -> None:
    audience = Audience("gym")
    early = Someone()
    audience.join(early.outgoing)
    audience.open(STREAM, None)
    for n in range(40):
        audience.show(Poses(n, np.array([n * 1_000_000]), np.full((1, 3), n, np.float32)))
        audience.tell(Gap(n, n, n * 1_000_000, n * 1_000_000))
    audience.show_table({"is": "clusters", "stream": "gym", "clusters": []})
    audience.end("gone")
    late = Someone()
    audience.join(late.outgoing)
    opened, *events, past, ended, table = late.read()
    assert (opened["is"], opened["history"], opened["start_us"]) == ("opened", True, 0)
    assert _numbers(events) == list(range(40))
    assert past["is"] == "past_poses"
    assert past["stream"] == "gym"
    assert past["times_us"] == [n * 1_000_000 for n in range(40)]
    assert past["frames"] == [[n, n, n] for n in range(40)]
    assert ended == {"is": "ended", "stream": "gym", "error": "gone"}
    assert table["is"] == "clusters"
    first, *_ = early.read()
    assert (first["is"], first["history"]) == ("opened", False)


def test_an_end_is_said_once_and_tables_when_they_change() -> None:
    audience = Audience("gym")
    someone = Someone()
    audience.join(someone.outgoing)
    for error in (None, None, "away", "away", None):
        audience.end(error)
    assert [message["error"] for message in someone.read()] == [None, "away", None]
    for clusters in ([], [], [1]):
        audience.show_table({"is": "clusters", "clusters": clusters})
        audience.show_table({"is": "anomalies", "anomalies": []})
    assert [message["is"] for message in someone.read()] == ["clusters", "anomalies"]
    audience.show_table({"is": "clusters", "clusters": [1]})
    assert someone.read() == []
