"""A Lab Streaming Layer outlet and inlet on this machine: a replayed recording arrives as it was sent."""

import asyncio
import json
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.client.sources.test_sources import collect, joined
from tests.support.loopback import loopback
from tests.support.scripted_server import COLUMNS, ScriptedServer

from motionscribe import Client, errors
from motionscribe.cli import main
from motionscribe.events import Label
from motionscribe.lab_streaming import load_pylsl
from motionscribe.sources import lsl
from motionscribe.sources.lsl import LslSource
from motionscribe.sources.lsl_finder import find_lsl
from motionscribe.sources.lsl_simulator import LslSender
from motionscribe.sources.sending import play
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.recordings.npz import read_take
from motionscribe_models.skeleton import feature_skeleton

FAST = 1e6

_loopback = pytest.fixture(scope="module", autouse=True)(loopback)


@pytest.fixture
def recording() -> Recording:
    # less than the two seconds that the source lets LSL keep, so that a slow reader loses nothing
    values = np.random.default_rng(1).integers(0, 5, (150, 2)).astype(np.float32)
    return Recording("r", values, even_times(150, 100.0) + 5_000_000, feature_skeleton("two", COLUMNS, 100.0))


@pytest.fixture
def outlet(recording: Recording) -> Iterator[str]:
    """Name of a stream that replays the recording to its first listener."""
    name = f"test-{uuid.uuid4().hex}"

    def send() -> None:
        play([recording], LslSender([recording], name), speed=FAST)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    assert load_pylsl().resolve_byprop("name", name, 1, 20.0)
    yield name
    thread.join(20)
    assert not thread.is_alive()


def test_a_recording_arrives_as_it_was_sent(recording: Recording, outlet: str) -> None:
    source = LslSource(outlet, timeout_s=1.0)
    assert (source.name, source.rate_hz) == (outlet, 100.0)
    values, times = joined(collect(source, 10))
    np.testing.assert_array_equal(values, recording.frames)
    # LSL's clock has an origin of its own and is a float
    np.testing.assert_allclose(np.diff(times), np.diff(recording.timestamps_us), atol=1)
    assert source.dropped == 0


def test_a_live_feed_is_labelled(recording: Recording, outlet: str) -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        came = list(client.stream(LslSource(outlet, skeleton=recording.skeleton, timeout_s=1.0)))
    assert [label.cluster for label in came if isinstance(label, Label)] == recording.frames[:, 0].tolist()
    assert server.opens[0].stream_id.startswith(outlet)
    assert server.opens[0].rate_hz == 100.0


def test_the_command_line_sends_and_receives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"test-{uuid.uuid4().hex}"
    path = tmp_path / "machine.csv"
    path.write_text(",".join(COLUMNS) + "\n" + "\n".join(f"{n % 5},0.5" for n in range(100)))
    arguments = ["simulate", f"lsl:{name}", str(path), "--rate", "100", "--speed", str(FAST)]
    thread = threading.Thread(target=main, args=(arguments,), daemon=True)
    thread.start()
    assert load_pylsl().resolve_byprop("name", name, 1, 20.0)
    # not the five seconds that people get to restart their software
    monkeypatch.setattr(lsl, "LslSource", partial(LslSource, timeout_s=1.0))
    with ScriptedServer() as server:
        assert main(["stream", f"lsl:{name}", "--json", "--address", server.address]) == 0
    thread.join(20)
    came = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["cluster"] for event in came] == [n % 5 for n in range(100)]


def test_a_stream_that_is_not_there_is_an_error() -> None:
    with pytest.raises(errors.NotFound, match=r"stream named or of type 'nobody' within 0\.1 s"):
        LslSource("nobody", timeout_s=0.1)
    with pytest.raises(errors.NotFound, match="without quotes"):
        LslSource("it's", timeout_s=0.1)


def test_strings_are_no_frames() -> None:
    import pylsl

    name = f"test-{uuid.uuid4().hex}"
    marker = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, 0.0, pylsl.cf_string, name))
    with pytest.raises(errors.BadFrames, match=f"expected a stream of numbers, got strings from {name}"):
        LslSource(name, timeout_s=5.0)
    del marker


def test_without_pylsl_the_error_is_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[lsl\]"'):
        LslSource("any")


# -- one sender is held on to


class Outlet:
    """A performer who sends frames of one number at 100 Hz, by the LSL clock and `shift_s`."""

    def __init__(self, name: str, number: float, source_id: str, kind: str = "MoCap") -> None:
        pylsl = load_pylsl()
        self._clock = pylsl.local_clock
        self._outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, kind, 2, 100.0, pylsl.cf_float32, source_id))
        self.number = number

    def __bool__(self) -> bool:
        return bool(self._outlet.have_consumers())

    def send(self, shift_s: float = 0.0) -> None:
        self._outlet.push_sample([self.number, 0.0], self._clock() + shift_s)


class Listener:
    """Collects what a source gives, in a thread of its own."""

    def __init__(self, source: LslSource) -> None:
        self.numbers: list[float] = []
        self.ended = False
        self._thread = threading.Thread(target=self._collect, args=(source,), daemon=True)
        self._thread.start()

    def _collect(self, source: LslSource) -> None:
        async def run() -> None:
            async for block in source.blocks(5):
                self.numbers += block.values[:, 0].tolist()
            self.ended = True

        asyncio.run(run())

    def send_until(self, done: Callable[[], bool], *outlets: Outlet) -> None:
        """All outlets send meanwhile."""
        for _ in range(2000):
            if done():
                return
            for outlet in outlets:
                outlet.send()
            threading.Event().wait(0.01)  # the pace of a sender, not a wait for anything
        raise AssertionError(f"nothing happened; {len(self.numbers)} frames came")


@pytest.mark.parametrize("shared_id", ["", "myuid34234", None], ids=["no id", "one id for all", "an id each"])
def test_no_other_performer_takes_the_place_of_one_who_left(shared_id: str | None) -> None:
    name = f"test-{uuid.uuid4().hex}"
    outlets = {
        n: Outlet(name, n, f"{name}-{n}" if shared_id is None else shared_id and name + shared_id) for n in (1.0, 2.0)
    }
    assert len(load_pylsl().resolve_byprop("name", name, 2, 20.0)) == 2
    listener = Listener(LslSource(name, timeout_s=1.5))
    listener.send_until(lambda: len(listener.numbers) > 100, *outlets.values())
    (taken,) = (n for n, outlet in outlets.items() if outlet)
    del outlets[taken]
    (other,) = outlets.values()
    listener.send_until(lambda: listener.ended, other)
    assert set(listener.numbers) == {taken}
    assert not other


def test_the_same_sender_may_start_again() -> None:
    name = f"it's {uuid.uuid4().hex}"  # found by its type
    outlet = Outlet(name, 1.0, name, kind=name[5:])
    source = LslSource(name[5:], timeout_s=20.0)
    listener = Listener(source)
    listener.send_until(lambda: len(listener.numbers) > 20, outlet)
    del outlet
    outlet = Outlet(name, 2.0, name, kind=name[5:])
    listener.send_until(lambda: 2.0 in listener.numbers, outlet)
    assert set(listener.numbers) == {1.0, 2.0}


def test_times_that_are_no_numbers_are_left_out() -> None:
    microseconds = lsl._microseconds  # noqa: SLF001  # liblsl replaces such times as it likes
    given = np.array([1.0000004, np.nan, np.inf, -np.inf, 1e300])
    assert microseconds(given).tolist() == [1_000_000, 2**62, 2**62, -(2**62), 2**62]


# -- recorded, found, judged


def test_a_stream_is_found_recorded_and_judged(
    recording: Recording,
    outlet: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {one.address: one for one in find_lsl(1.0)}
    assert found[outlet].description.startswith("MoCap, 2 channels, from ")
    assert found[outlet].rate_hz == 100.0
    monkeypatch.setattr(lsl, "LslSource", partial(LslSource, timeout_s=1.0))
    assert main(["record", f"lsl:{outlet}", str(tmp_path / "a.npz")]) == 0
    take = read_take(tmp_path / "a.npz")
    assert take is not None
    np.testing.assert_array_equal(take.frames, recording.frames)
    assert (take.feed, take.skeleton.joints, take.skeleton.rate_hz) == ("lsl", ("channel_1", "channel_2"), 100.0)
    assert np.all(np.diff(take.arrived_us) >= 0)

    name = f"test-{uuid.uuid4().hex}"
    arguments = ["replay", str(tmp_path / "a.npz"), "--as", f"lsl:{name}", "--speed", str(FAST)]
    thread = threading.Thread(target=main, args=(arguments,), daemon=True)
    thread.start()
    assert load_pylsl().resolve_byprop("name", name, 1, 20.0)
    capsys.readouterr()
    assert main(["doctor", f"lsl:{name}"]) == 1
    thread.join(20)
    assert "wrong rate: says 100 Hz, times are those of 100.0 Hz, frames come at" in capsys.readouterr().out
