"""The bridge between a viewer's WebSocket and a real server."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.page import Viewer, page_of, viewing
from tests.support.serving import Served, final, motion, serving
from tests.support.waiting import until

from motionscribe import AsyncClient
from motionscribe.demo.performer import perform
from motionscribe.errors import MotionscribeError
from motionscribe.events import Event
from motionscribe_proto.events import from_dict

ROOT = Path(__file__).parents[3]
BODY = ROOT / "models" / "body" / "1"
Test = Callable[[Served, str, AsyncClient], Awaitable[None]]


def with_page(model: Path, folder: Path, test: Test) -> None:
    """Runs a test with a server, a page of it, and a client."""

    async def run() -> None:
        async with serving(model, folder) as served:
            address = f"127.0.0.1:{served.server.port}"
            async with page_of(address) as page, AsyncClient(address) as client:
                await test(served, page, client)

    asyncio.run(run())


def events_of(viewer: Viewer) -> list[Event]:
    """Those that a viewer was told of."""
    told = [message for message in viewer.seen if message["is"] == "event"]
    return [from_dict({k: v for k, v in message.items() if k not in ("is", "stream")}) for message in told]


async def watched(page: str, viewer: Viewer, stream_id: str) -> dict[str, Any]:
    await viewer.ask(do="watch", stream=stream_id)
    return await viewer.read_a("opened")


def test_a_performance_is_seen_as_poses_and_events(tmp_path: Path) -> None:
    recording = perform([("walk", 6.0), ("squat", 6.0)], rate_hz=60).recording

    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page) as viewer, client.stream(recording, stream_id="gym", realtime=4) as stream:
            feeding = asyncio.create_task(_take_all(stream))
            listed = await viewer.read(lambda message: message["is"] == "streams" and message["streams"] != [])
            row = listed["streams"][0]
            assert (row["id"], row["model"], row["rate_hz"], row["has_owner"]) == ("gym", "body/1", 60, True)
            opened = await watched(page, viewer, "gym")
            assert opened["skeleton"]["representation"] == "body"
            joints = opened["skeleton"]["joints"]
            poses = await viewer.read_a("poses")
            assert {len(frame) for frame in poses["frames"]} == {
                3 * len(joints) + 1
            }  # the last says whether y is vertical
            assert len(poses["times_us"]) == len(poses["frames"])
            head, ankle = (poses["frames"][-1][3 * joints.index(name) + 1] for name in ("head", "left_ankle"))
            assert 1 < head - ankle < 2  # metres, y up
            await viewer.read_a("ended")
            clusters = [m for m in viewer.seen if m["is"] == "clusters"][-1]["clusters"]
            told = await feeding
            seen = events_of(viewer)
            first = told.index(seen[0])
            assert final(told[first:]) == final(seen)
            assert {event.cluster for event in final(seen) if hasattr(event, "cluster")} <= {c["id"] for c in clusters}

    with_page(BODY, tmp_path, test)


async def _take_all(stream: Any) -> list[Event]:
    return [event async for event in stream]


def test_edits_reach_the_server_and_other_viewers(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, page: str, client: AsyncClient) -> None:
        caller = await served.opened("lab")
        recording = motion(served.skeleton, 9.0)
        await caller.send(recording)
        await served.computed(len(recording.frames))
        async with viewing(page) as viewer, viewing(page) as other:
            for one in (viewer, other):
                await watched(page, one, "lab")
            first, second = [c["id"] for c in (await viewer.find(lambda m: m["is"] == "clusters"))["clusters"]][:2]

            def named(message: dict[str, Any]) -> bool:
                return bool(message["is"] == "clusters" and message["clusters"][0]["name"] == "wave")

            await viewer.ask(do="rename", stream="lab", cluster=first, name="wave")
            await viewer.read(named)
            await other.read(named)
            assert (await client.clusters("lab"))[0].name == "wave"
            await viewer.ask(do="merge", stream="lab", source=second, into=first)
            table = await viewer.read(lambda m: m["is"] == "clusters" and m["clusters"][1]["merged_into"] == first)
            assert table["stream"] == "lab"
            assert (await client.clusters("lab"))[1].merged_into == first
            await viewer.ask(do="explain", stream="lab")
            explanation = await viewer.read_a("explanation")
            assert explanation["joints"][0]["joint"] in served.skeleton.joints
        await caller.finish()

    with_page(tiny_model, tmp_path, test)


def test_a_name_that_another_client_gives_is_seen_at_once(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motionscribe.page.follow.TABLES_S", 1e3)

    async def test(served: Served, page: str, client: AsyncClient) -> None:
        caller = await served.opened("lab")
        recording = motion(served.skeleton, 3.0)
        await caller.send(recording)
        await served.computed(len(recording.frames))
        async with viewing(page) as viewer:
            await watched(page, viewer, "lab")
            table = await viewer.find(lambda m: m["is"] == "clusters")
            await client.rename("lab", table["clusters"][0]["id"], "wave")
            await viewer.read(lambda m: m["is"] == "clusters" and m["clusters"][0]["name"] == "wave")
        await caller.finish()

    with_page(tiny_model, tmp_path, test)


def test_an_alarm_is_marked(tmp_path: Path) -> None:
    recording = perform([("walk", 10.0)], rate_hz=60, faults=[("drop", 4.0, 4.0)]).recording

    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page) as viewer, client.stream(recording, stream_id="gym", realtime=8) as stream:
            feeding = asyncio.create_task(_take_all(stream))
            await until(lambda: stream.opened is not None)
            await watched(page, viewer, "gym")
            listed = await viewer.find(lambda m: m["is"] == "anomalies" and m["anomalies"] != [])
            alarm = listed["anomalies"][0]["anomaly"]
            await viewer.ask(do="mark", stream="gym", anomaly=alarm, verdict="fault")
            await viewer.read(lambda m: m["is"] == "anomalies" and m["anomalies"][0]["verdict"] == "fault")
            assert (await client.anomalies("gym"))[0].verdict == "fault"
            await feeding

    with_page(BODY, tmp_path, test)


def test_a_viewer_who_does_not_read_loses_no_event(tmp_path: Path) -> None:
    recording = perform([("walk", 8.0), ("wave", 8.0), ("squat", 8.0)]).recording

    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page) as other, viewing(page, buffer=4096) as viewer:
            async with client.stream(recording, stream_id="gym", realtime=3) as stream:
                feeding = asyncio.create_task(_take_all(stream))
                await watched(page, viewer, "gym")
                await watched(page, other, "gym")
                viewer.socket.transport.pause_reading()
                told = await feeding
            viewer.socket.transport.resume_reading()
            for one in (viewer, other):
                await one.read_a("ended")
                seen = events_of(one)
                assert final(told[told.index(seen[0]) :]) == final(seen)
            assert 0 < _poses(viewer) < _poses(other) / 2

    with_page(BODY, tmp_path, test)


def _poses(viewer: Viewer) -> int:
    return sum(message["is"] == "poses" for message in viewer.seen)


def test_who_comes_later_or_again_sees_what_was_and_the_stream_is_watched_once(tmp_path: Path) -> None:
    recording = perform([("walk", 8.0), ("squat", 8.0)], rate_hz=60).recording

    async def test(served: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page) as first, client.stream(recording, stream_id="gym", realtime=4) as stream:
            feeding = asyncio.create_task(_take_all(stream))
            await until(lambda: stream.opened is not None)
            await watched(page, first, "gym")
            await first.read(lambda message: message.get("event") == "SegmentEnded")
            async with viewing(page) as reloaded:
                await watched(page, reloaded, "gym")
            async with viewing(page) as second:
                assert (await watched(page, second, "gym"))["history"] is True
                assert served.counted("motionscribe_watchers") == 1
                told = await feeding
                for viewer in (first, second):
                    await viewer.read_a("ended")
            seen = final(events_of(first))
            assert seen == final(told[told.index(events_of(first)[0]) :])
            assert final(events_of(second)) == seen
            times = [m["times_us"] for m in second.seen if m["is"] == "past_poses"]
            frames = [m["frames"] for m in second.seen if m["is"] == "past_poses"]
            assert [len(piece) for piece in times] == [len(piece) for piece in frames]
            past = [time_us for piece in times for time_us in piece]
            assert past == sorted(past)
            assert past[-1] - past[0] > 3e6
            live = next(m["times_us"] for m in second.seen if m["is"] == "poses")
            assert past[-1] <= live[-1]  # no picture of before comes after one of now
            kinds = [m["is"] for m in second.seen if m.get("stream") == "gym"]
            assert kinds[0] == "opened"
            assert kinds.index("event") < kinds.index("past_poses") < kinds.index("poses")

    with_page(BODY, tmp_path, test)


def test_a_stream_that_comes_back_is_followed_again(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, page: str, _: AsyncClient) -> None:
        async with viewing(page) as viewer:
            await viewer.ask(do="watch", stream="lab")
            assert (await viewer.read_a("ended"))["error"] is None
            for _again in range(2):
                caller = await served.opened("lab")
                assert (await viewer.read_a("opened"))["stream"] == "lab"
                await caller.finish()
                await viewer.read_a("ended")

    with_page(tiny_model, tmp_path, test)


def test_a_stream_that_was_deleted_is_gone_from_the_page(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, page: str, client: AsyncClient) -> None:
        caller = await served.opened("lab")
        await caller.send(motion(served.skeleton, 4.0))
        async with viewing(page) as viewer:
            await watched(page, viewer, "lab")
            await viewer.read_a("clusters")
            await client.forget("lab")
            await viewer.read_a("forgotten")
            async with viewing(page) as later:
                await later.ask(do="watch", stream="lab")
                await later.read_a("ended")
                assert not {"event", "poses", "past_poses", "clusters"} & {message["is"] for message in later.seen}

    with_page(tiny_model, tmp_path, test)


def test_a_server_that_is_away_is_told_and_found_again(tiny_model: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tiny_model, tmp_path) as served:
            port = served.server.port
            async with page_of(f"127.0.0.1:{port}") as page, viewing(page) as viewer:
                await viewer.read(lambda message: message["is"] == "streams" and message["error"] is None)
                await served.stop()
                await viewer.read(lambda message: message["is"] == "streams" and message["error"] is not None)
                async with serving(tiny_model, tmp_path / "again", server=_same_port(tiny_model, port)):
                    await viewer.read(lambda message: message["is"] == "streams" and message["error"] is None)

    asyncio.run(test())


def _same_port(model: Path, port: int) -> dict[str, Any]:
    return {"models": model.parent.parent, "load": (model.parent.name,), "port": port, "workers": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "expected JSON"),
        ("[]", "expected an object"),
        ("[" * 60_000, "expected JSON"),
        (r'{"do": "rename", "stream": "a", "cluster": 1, "name": "\ud800"}', "expected JSON"),
        ('{"do": "watch"}', "expected stream as text"),
        ('{"do": "fly", "stream": "a"}', "got 'fly'"),
        ('{"do": "rename", "stream": "a", "cluster": "1", "name": "x"}', "expected the number of a cluster, got '1'"),
        ('{"do": "rename", "stream": "a", "cluster": 1, "name": 7}', "expected name as text, got 7"),
        ('{"do": "merge", "stream": "a", "source": null, "into": 2}', "expected the number of a cluster, got None"),
        ('{"do": "mark", "stream": "a", "anomaly": 1, "verdict": []}', "expected a verdict"),
        ('{"do": "mark", "stream": "a", "anomaly": 1, "verdict": "fine"}', "expected a verdict"),
        ('{"do": "explain", "stream": "a", "segment": -1}', "expected the number of a segment"),
        ('{"do": "explain", "stream": "nobody", "segment": 1}', "got 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_told(tiny_model: Path, tmp_path: Path, text: str, expected: str) -> None:
    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page) as viewer:
            await viewer.socket.send(text)
            assert expected in (await viewer.read_a("failed"))["error"]
            await viewer.ask(do="watch", stream="nobody")  # the viewer is still served
            await viewer.read_a("ended")
        with pytest.raises(MotionscribeError):
            await client.clusters("nobody")

    with_page(tiny_model, tmp_path, test)


def test_messages_are_json_as_browsers_read_it() -> None:
    from motionscribe.page.messages import to_json

    text = to_json({"is": "x", "margin": float("inf"), "rows": ((float("nan"), 1.5), [2])})
    assert json.loads(text) == {"is": "x", "margin": None, "rows": [[None, 1.5], [2]]}
