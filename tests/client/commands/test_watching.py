"""`watch` waits for a stream where asked, and tells times as the sender's own table does."""

from collections.abc import Iterator

import grpc
import pytest
from tests.client.test_cli import outcome
from tests.support.scripted_server import ScriptedServer

from motionscribe import Client
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_to_messages
from motionscribe_proto.events import SegmentEnded


class LateServer(ScriptedServer):
    """Its stream is live from the third question on, and has its first frame at 100 s, long before the watcher."""

    asked = 0

    def Watch(  # noqa: N802
        self, request: pb.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamResponse]:
        self.asked += 1
        if self.asked < 3:
            context.abort(grpc.StatusCode.NOT_FOUND, "nobody feeds it")
        yield pb.StreamResponse(update=pb.Update(start_us=100_000_000))
        event = SegmentEnded(9, 1, "walk", 601, 1201, 165_000_000, 170_500_000)
        yield pb.StreamResponse(update=pb.Update(first_event=9, events=events_to_messages([event])))


def test_a_watcher_waits_and_counts_from_the_first_frame_of_the_stream(capsys: pytest.CaptureFixture[str]) -> None:
    with LateServer() as server:
        at = ["--address", server.address]
        assert outcome(capsys, "watch", "gym", *at)[::2] == (1, "motionscribe: nobody feeds it\n")
        code, out, _ = outcome(capsys, "watch", "gym", "--wait", *at)
    assert (code, server.asked) == (0, 3)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert rows == [["1:05.00", "1:10.50", "5.50", "walk (1)"]]


def test_the_start_is_known_before_the_first_event() -> None:
    with LateServer() as server, Client(server.address) as client:
        server.asked = 2
        with client.watch("gym") as watch:
            assert watch.start_us == 100_000_000
            assert len(list(watch)) == 1
        with client.watch("gym") as watch:
            next(watch)
        assert list(watch) == []  # closed


def test_another_error_ends_the_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        away = server.address
    code, _, err = outcome(capsys, "watch", "gym", "--wait", "--address", away)
    assert code == 1
    assert "no connection" in err
