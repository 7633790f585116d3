"""The sender's clock: its drift is shown, and where it jumps the stream restarts visibly."""

import asyncio
import logging
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.number_feed import SKELETON
from tests.support.scripted_server import ScriptedServer
from tests.support.serving import motion, serving

from motionscribe import cli
from motionscribe.events import Gap, Label, Restarted
from motionscribe.feeds import wall
from motionscribe.feeds.feed_file import read_feeds
from motionscribe.sinks import read_events
from motionscribe.sources import Source, schemes
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Body, Moment
from motionscribe_models.skeleton import Skeleton

HOUR_US = 3_600_000_000


class Replay:
    """A Reader of frames whose times and arrivals are given."""

    where = "a replay"
    strange = 0

    def __init__(self, skeleton: Skeleton, frames: NDArray[np.float32], times: list[int], arrivals: list[int]) -> None:
        self.rate_hz = skeleton.rate_hz
        self._skeleton = skeleton
        self._moments = list(zip(frames, times, arrivals, strict=True))

    def moments(self) -> Generator[Moment | None, None, None]:
        for frame, time_us, arrived_us in self._moments:
            yield Moment(time_us, arrived_us, [Body(self._skeleton, frame, person="1")])


def offer(monkeypatch: pytest.MonkeyPatch, feed: LiveFeed) -> None:
    """As the source `replay:it`."""

    def open_replay(address: str, rate_hz: float | None = None) -> Source:
        return feed

    monkeypatch.setattr("tests.client.feeds.test_feed_clocks.opener", open_replay, raising=False)
    scheme = schemes.Scheme("replay", "X", "", "tests.client.feeds.test_feed_clocks:opener")
    monkeypatch.setattr(schemes, "SCHEMES", (*schemes.SCHEMES, scheme))


@pytest.mark.parametrize(("drift_ppm", "told"), [(120, "gained 120 ppm"), (-35, "lost 35 ppm")])
def test_stream_shows_how_the_clocks_drift_apart(
    drift_ppm: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arrivals = [50_000 * n for n in range(200)]  # ten seconds, no more frames than wait
    times = [round(arrived * (1 + drift_ppm / 1e6)) for arrived in arrivals]
    frames = np.tile(np.array([1, 0.5], np.float32), (200, 1))
    offer(monkeypatch, LiveFeed("replay", Replay(SKELETON, frames, times, arrivals), rate_hz=20.0))
    with ScriptedServer() as server:
        assert cli.main(["stream", "replay:it", "--stream-id", "gym", "--address", server.address]) == 0
    out, err = capsys.readouterr()
    assert err == f"gym: the sender's clock {told} on this machine's\n"
    assert f"final after 0.5 s, clock {drift_ppm:+d} ppm" in out.replace("\n", " ")


def test_a_clock_that_jumps_restarts_the_stream_visibly(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 2.0)  # no more frames than wait to be taken
            half = len(recording.frames) // 2
            times = recording.timestamps_us.tolist()
            said = [5 * HOUR_US + time_us - HOUR_US * (n >= half) for n, time_us in enumerate(times)]
            feed = LiveFeed("replay", Replay(served.skeleton, recording.frames, said, times))
            offer(monkeypatch, feed)
            path = tmp_path / "feeds.toml"
            path.write_text(
                f'address = "127.0.0.1:{served.server.port}"\n[[feed]]\nsource = "replay:it"\n'
                'stream_id = "gym"\nrestart = "never"\nto = ["gym.jsonl"]\n'
            )
            feeds = wall.Wall()
            await feeds.show(read_feeds(path))
            await feeds.watch()
            assert not feeds.failed
            await feeds.end()
            assert feed.clock.jumps == 1

    monkeypatch.setattr(wall, "LOOK_S", 0.02)
    monkeypatch.setattr(wall, "TELL_S", 0.0)
    with caplog.at_level(logging.INFO, "motionscribe"):
        asyncio.run(run())
    (events,) = read_events(tmp_path / "gym.jsonl").values()
    (restarted,) = [event for event in events if isinstance(event, Restarted)]
    assert restarted.reason.startswith("the sender's clock went back by 35")
    assert sum(isinstance(event, Gap) for event in events) == 1
    covered = [event for event in events if isinstance(event, Label) and event.final]
    assert (covered[0].start_seq, covered[-1].end_seq) == (1, 241)
    assert "gym: running, " in caplog.text
    assert "gym: ended, 240 frames sent, 0 dropped, " in caplog.text
