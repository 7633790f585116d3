"""A real inlet of Lab Streaming Layer on this machine gets markers with the times at which the motion began."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.support.loopback import loopback
from tests.support.messages import EVERY_EVENT
from tests.support.waiting import wait_until

from motionscribe.events import SegmentStarted
from motionscribe.feed_clock import FeedClock, now_us
from motionscribe.lab_streaming import load_pylsl
from motionscribe.sinks import StreamInfo, addresses, lsl_markers

_loopback = pytest.fixture(scope="module", autouse=True)(loopback)


def listen(name: str) -> Any:
    """An inlet that is open."""
    (info,) = load_pylsl().resolve_byprop("name", name, 1, 20.0)
    inlet = load_pylsl().StreamInlet(info, recover=False)
    inlet.open_stream(20.0)
    return inlet


def markers(inlet: Any, count: int) -> list[tuple[str, float]]:
    came: list[tuple[str, float]] = []

    def enough() -> bool:
        samples, stamps = inlet.pull_chunk(timeout=0.05)
        came.extend((sample[0], stamp) for sample, stamp in zip(samples, stamps, strict=True))
        return len(came) >= count

    wait_until(enough)
    return came


def test_markers_have_the_times_of_the_motion() -> None:
    name = f"test-{uuid.uuid4().hex}"
    # a feed whose clock began 20 s ago: its second 0.1 was 19.9 s before now
    clock = FeedClock()
    clock.take(20_000_000, now_us())
    here_s = load_pylsl().local_clock()
    place, address = addresses.parse_place(f"lsl:{name}")
    with place.open(address) as make:
        sink = make(StreamInfo("gym-1", "a title", clock=clock))
        inlet = listen(f"{name}-gym-1")  # it is there before the first event
        info = inlet.info()
        for event in (*EVERY_EVENT, SegmentStarted(2, 9, "", 20, 2_000_000)):
            sink.write(event)
        came = markers(inlet, 5)
        inlet.close_stream()
        sink.close()
    assert (info.type(), info.channel_count(), info.nominal_srate()) == ("Markers", 1, 0.0)
    assert info.source_id() == f"motionscribe-{name}-gym-1"
    assert [text for text, _ in came] == ["walk", "motion fault begun", "motion fault ended", "gap", "cluster 9"]
    wanted = [here_s - 20 + seconds for seconds in (0.1, 0.1, 0.2, 0.2, 2.0)]
    assert [stamp for _, stamp in came] == pytest.approx(wanted, abs=0.05)


def test_without_a_clock_a_marker_has_the_time_of_sending_and_each_stream_its_outlet() -> None:
    name = f"test-{uuid.uuid4().hex}"
    with lsl_markers.open_markers(name) as make:
        sinks = {stream: make(StreamInfo(stream, "a title")) for stream in ("a", "b")}
        inlets = {stream: listen(f"{name}-{stream}") for stream in sinks}
        before_s = load_pylsl().local_clock()
        for n, (stream, sink) in enumerate(sinks.items()):
            sink.write(SegmentStarted(1, n, stream, 1, 0))
        for stream, inlet in inlets.items():
            ((text, stamp),) = markers(inlet, 1)
            assert text == stream
            assert before_s <= stamp <= load_pylsl().local_clock()
        for inlet in inlets.values():
            inlet.close_stream()


def test_the_last_marker_arrives_though_the_command_ends() -> None:
    name = f"test-{uuid.uuid4().hex}"
    with ThreadPoolExecutor(1) as elsewhere:
        with lsl_markers.open_markers(name) as make:
            sink = make(StreamInfo("a", "a title"))
            inlet = listen(f"{name}-a")
            came = elsewhere.submit(markers, inlet, 1)
            sink.write(SegmentStarted(1, 1, "the last", 1, 0))
            sink.close()
        assert came.result()[0][0] == "the last"
        inlet.close_stream()


def test_outlets_of_streams_that_have_ended_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsl_markers, "LINGER_S", 0.0)
    outlet = lsl_markers.Markers(f"test-{uuid.uuid4().hex}")
    for n in range(5):
        outlet.expect(f"person-{n}")
        outlet.leave(f"person-{n}")
    assert list(outlet._outlets) == ["person-4"]  # noqa: SLF001  LSL counts no outlets
    outlet.close()
