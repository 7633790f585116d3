"""Channels of Lab Streaming Layer that are places of joints: a body comes as a body."""

import asyncio
import threading
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.any_width import AnyWidthServer
from tests.support.loopback import loopback
from tests.support.waiting import wait_until

from motionscribe import errors
from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe.feed_clock import now_us
from motionscribe.lab_streaming import load_pylsl
from motionscribe.sources import lsl
from motionscribe.sources.lsl import LslSource
from motionscribe.sources.lsl_channels import write_channels
from motionscribe.sources.lsl_finder import find_lsl
from motionscribe.sources.sending import Actor
from motionscribe_models.recordings import CMU_EXPMAP, Recording, read_recording
from motionscribe_models.recordings.channels import place_channels
from motionscribe_models.recordings.writing import write_recording
from motionscribe_models.skeleton import Skeleton, feature_skeleton
from motionscribe_proto.codec import skeleton_from_message
from motionscribe_proto.frames import FrameBlock

_loopback = pytest.fixture(scope="module", autouse=True)(loopback)

JOINTS = ("head", "hip", "left_foot")
STANDING = np.array([0, 0, 1700, 0, 0, 1000, 0, 100, 50.0])
"""Of JOINTS: millimetres, z up."""
OTHERS = [{"label": f"head_{axis}", "marker": "head", "type": f"Orientation{axis}"} for axis in "ABCD"]


def channels(joints: Sequence[str] = JOINTS, unit: str = "mm") -> list[dict[str, str]]:
    """As XDF's meta-data have them; labels do not tell."""
    kinds = [*((f"Position{axis}", unit) for axis in "XYZ"), ("Confidence", "normalized")]
    return [
        {"label": f"{n} {joint}", "marker": joint, "type": kind, "unit": own}
        for joint in joints
        for n, (kind, own) in enumerate(kinds)
    ]


def samples(places: np.ndarray, sure: float = 0.5) -> np.ndarray:
    """(n, 12) of places (n, 9)."""
    joints = places.reshape(len(places), len(JOINTS), 3)
    return np.concatenate([joints, np.full((len(places), len(JOINTS), 1), sure)], axis=2).reshape(len(places), -1)


class Sender:
    """An outlet whose channels are described; one without a rate."""

    def __init__(self, described: Sequence[Mapping[str, str]], source_id: str = "", rate_hz: float = 0.0) -> None:
        pylsl = load_pylsl()
        self.name = source_id or uuid.uuid4().hex
        info = pylsl.StreamInfo(self.name, "MoCap", len(described), rate_hz, pylsl.cf_double64, self.name)
        write_channels(info, described)
        self._outlet, self._clock = pylsl.StreamOutlet(info), pylsl.local_clock

    def heard(self) -> bool:
        return bool(self._outlet.have_consumers())

    def send(self, values: np.ndarray, rate_hz: float = 50.0, ago_s: float = 0.0) -> None:
        for row, sample in enumerate(values):
            self._outlet.push_sample(sample.tolist(), self._clock() - ago_s + row / rate_hz)


class Taken:
    """What a source gives when it is opened, in a thread of its own."""

    def __init__(self, source: LslSource, size: int = 4) -> None:
        self.source = source
        self.blocks: list[FrameBlock] = []
        self.skeleton: Skeleton | None = None
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(size,), daemon=True)
        self._thread.start()

    def _run(self, size: int) -> None:
        async def take() -> None:
            await self.source.ready()
            self.skeleton = self.source.skeleton
            async for block in self.source.blocks(size):
                self.blocks.append(block)

        try:
            asyncio.run(take())
        except Exception as error:
            self.failure = error

    @property
    def frames(self) -> int:
        return sum(len(block) for block in self.blocks)

    def end(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()


def described(sender: Sender, **arguments: Any) -> LslSource:
    return LslSource(sender.name, **arguments)


def test_places_are_a_skeleton_and_nothing_else_is_sent() -> None:
    sender = Sender([*OTHERS, *channels()])
    source = described(sender)
    assert list(source.notes) == ["4 channels left out, which are no places of joints"]
    taken = Taken(source)
    wait_until(sender.heard)
    places = np.tile(STANDING, (20, 1))
    places[:5] = np.nan
    places[6, 4] = np.inf
    places[7:9, 3:6] = 0.0
    sender.send(np.hstack([np.zeros((5, 4)), samples(places[:5])]))
    wait_until(lambda: source.dropped == 5)
    values = samples(places[5:])
    values[3, 7] = 0.0  # not found where it is 0 and not sure
    sender.send(np.hstack([np.zeros((15, 4)), values]))
    wait_until(lambda: taken.frames == 15)
    assert taken.failure is None
    assert taken.skeleton
    skeleton = taken.skeleton
    assert (skeleton.joints, skeleton.representation, skeleton.units) == (JOINTS, "positions", "mm")
    assert skeleton.up_axis == "z"
    assert source.rate_hz == skeleton.rate_hz == pytest.approx(50, abs=1)
    assert list(source.notes[1:]) == ["up axis: z, where heads are above feet"]
    assert all(len(block) <= 4 for block in taken.blocks)
    assert [block.first_seq for block in taken.blocks] == [1, *[block.next_seq for block in taken.blocks[:-1]]]
    expected = places[5:].copy()
    expected[[1, 3], 3:6] = np.nan
    np.testing.assert_allclose(np.concatenate([block.values for block in taken.blocks]), expected)
    sure = np.concatenate([block.confidences for block in taken.blocks if block.confidences is not None])
    assert sure[3].tolist() == [0.5, 0.0, 0.5]


def test_a_skeleton_of_ones_own_takes_all_channels() -> None:
    sender = Sender(channels())
    own = feature_skeleton("own", tuple(f"c{n}" for n in range(12)), 50.0)
    taken = Taken(described(sender, skeleton=own))
    wait_until(sender.heard)
    sender.send(samples(np.tile(STANDING, (3, 1))))
    wait_until(lambda: taken.frames == 3)
    assert taken.skeleton is own
    assert taken.blocks[0].values.shape[1] == 12


def test_nobody_is_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsl, "OPENING_S", 0.2)
    sender = Sender(channels())
    taken = Taken(described(sender))
    taken.end()
    assert isinstance(taken.failure, errors.NotFound)
    assert f"expected places of joints in {sender.name} within 0.2 s, got none" in str(taken.failure)


@pytest.mark.parametrize("others", [channels(JOINTS[::-1]), channels(unit="m"), [{"label": f"{n}"} for n in range(12)]])
def test_a_sender_that_starts_again_with_other_places_ends_the_stream(others: list[dict[str, str]]) -> None:
    sender = Sender(channels())
    name, taken = sender.name, Taken(described(sender))
    wait_until(sender.heard)
    sender.send(samples(np.tile(STANDING, (20, 1))))
    wait_until(lambda: taken.frames == 20)
    del sender
    again = Sender(others, name)
    taken.end()
    assert isinstance(taken.failure, errors.BadFrames)
    assert str(taken.failure) == f"expected the places that it had before, got others from {again.name}"


def test_frames_were_made_when_lsl_says_not_when_they_came() -> None:
    sender = Sender([{"label": "load"}], rate_hz=100.0)
    taken = Taken(described(sender))
    clock = taken.source.clock
    wait_until(sender.heard)

    def off_us() -> int:
        sender.send(np.zeros((1, 1)), ago_s=0.2)
        threading.Event().wait(0.005)  # the pace of a sender
        return abs(clock.here_us(round(load_pylsl().local_clock() * 1e6)) - now_us())

    wait_until(lambda: off_us() < 20_000)  # 200 ms by the times of arrival alone


def test_columns_of_exponential_maps_are_no_places() -> None:
    assert place_channels([{"label": column} for column in CMU_EXPMAP.columns]) is None


# -- from one end to the other


def walk(path: Path, unit: str, metres: float) -> Path:
    """Writes places of a walk, with confidences; a joint is lost for a while."""
    actor = Actor(perform([("walk", 1.5)], rate_hz=60).recording)
    skeleton = Skeleton(
        *("walk", actor.joints, (-1,) * len(actor.joints), "positions", unit, metres, "y"), rate_hz=60.0
    )
    places = actor.places / np.float32(metres)
    places[30:40, 5] = np.nan
    sure = np.full(places.shape[:2], 0.75, np.float32)
    recording = actor.recording
    frames = places.reshape(len(places), -1)
    write_recording(Recording("walk", frames, recording.timestamps_us, skeleton, confidences=sure), path)
    return path


def simulate(path: Path) -> str:
    """The name of a stream that sends a recording to its first listener."""
    name = f"test-{uuid.uuid4().hex}"
    threading.Thread(target=main, args=(["simulate", f"lsl:{name}", str(path), "--speed", "1e6"],), daemon=True).start()
    assert load_pylsl().resolve_byprop("name", name, 1, 20.0)
    return name


def test_a_body_is_streamed_as_a_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lsl, "LslSource", partial(LslSource, timeout_s=1.0))
    path = walk(tmp_path / "walk.npz", "cm", 0.01)
    name = simulate(path)
    wait_until(lambda: (name, 31) in {(one.address, one.joints) for one in find_lsl(1.0)})
    with AnyWidthServer() as server:
        assert main(["stream", f"lsl:{name}", "--stream-id", "a", "--json", "--address", server.address]) == 0
    skeleton = skeleton_from_message(server.opens[0].skeleton)
    assert (skeleton.representation, skeleton.units, skeleton.up_axis, skeleton.rate_hz) == ("positions", "cm", "y", 60)
    ((_, blocks),) = server.frames.items()
    frames = np.concatenate([block.values for block in blocks])
    np.testing.assert_array_equal(frames, read_recording(path).frames)
    assert len(frames) == 90
    assert np.isnan(frames[30:40, 15:18]).all()
    assert blocks[0].confidences is not None
    assert f"lsl:{name}: up axis: y, where heads are above feet" in capsys.readouterr().err


def test_doctor_knows_the_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lsl, "LslSource", partial(LslSource, timeout_s=1.0))
    name = simulate(walk(tmp_path / "walk.npz", "inch", 0.0254))
    main(["doctor", f"lsl:{name}"])
    said = capsys.readouterr().out
    assert said.startswith("lsl: 31 joints, positions, 90 frames")
    assert "not judged: joints" not in said
    assert "missing joint" not in said
    assert "wrong unit" not in said
