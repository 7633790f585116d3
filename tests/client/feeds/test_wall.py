"""A wall of feeds as a process: what one of them does reaches no other, and signals do what they say."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.number_feed import NumberSender
from tests.support.run_process import running
from tests.support.scripted_server import COLUMNS, ScriptedServer
from tests.support.waiting import wait_until

from motionscribe.events import Label
from motionscribe.sinks import read_events


def udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        return int(port.getsockname()[1])


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def feed(source: str, stream_id: str, *others: str) -> str:
    return "\n".join(["[[feed]]", f'source = "{source}"', f'stream_id = "{stream_id}"', *others, ""])


def write(folder: Path, server: ScriptedServer, *feeds: str) -> Path:
    path = folder / "feeds.toml"
    path.write_text(f'address = "{server.address}"\n' + "\n".join(feeds))
    return path


def recording(folder: Path, name: str, frames: int) -> str:
    lines = "\n".join(f"{n / 100},{n % 5},0.5" for n in range(frames))
    (folder / name).write_text(",".join(["time", *COLUMNS]) + "\n" + lines)
    return name


def saved(path: Path) -> list[int]:
    """Frames of the final labels of the file's last stream, in their order."""
    if not path.exists() or not path.stat().st_size:
        return []
    *_, events = read_events(path).values()
    return [event.start_seq for event in events if isinstance(event, Label)]


def grows(path: Path, frames: int = 20) -> None:
    """Waits for new labels."""
    before = len(saved(path))
    wait_until(lambda: len(saved(path)) >= before + frames)


def test_feeds_that_fail_disturb_no_other(tmp_path: Path, server: ScriptedServer) -> None:
    good, taken = udp_port(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    path = write(
        *(tmp_path, server),
        feed("bad:bug", "bug"),
        feed("bad:exit", "exit"),
        feed("bad:hangs", "hangs"),
        feed(f"numbers:{taken.getsockname()[1]}", "taken"),
        feed("none.csv", "none", 'restart = "never"'),
        feed(recording(tmp_path, "short.csv", 50), "short", 'restart = "on-failure"', 'to = ["short.jsonl"]'),
        feed(recording(tmp_path, "full.csv", 50), "full", 'to = ["none/full.jsonl"]'),
        feed(recording(tmp_path, "refused.csv", 50), "refused", 'joints = "names.txt"'),
        feed(f"numbers:{good}", "gym", 'to = ["gym.jsonl"]'),
    )
    (tmp_path / "names.txt").write_text("left_shoulder: LSHO")
    gym = tmp_path / "gym.jsonl"
    with taken, closing(NumberSender(good)), running(path, "--json") as run:
        grows(gym)
        run.says("bug: failed: ZeroDivisionError: a bug; begins anew in 2 s", 1)
        run.says("exit: failed: SystemExit: an estimator that ends the program; begins anew in 2 s")
        run.says("Address already in use; begins anew in 1 s")
        run.says("none.csv: expected a file, found none, 0 frames sent")
        run.says("full: failed: expected a folder for ")
        run.says("refused: failed: features: expected joints that there are, got LSHO")
        run.says("short: ended, 50 frames sent, 0 dropped, 50 events")
        run.says("hangs: opening")
        run.says("gym: running")
        server.restart()
        grows(gym)
        run.says("bug: failed: ZeroDivisionError: a bug; begins anew in 4 s")
        assert run.lines.count("ZeroDivisionError: a bug") == 1, "where it came from is told once"
        assert run.end() == 0
        assert run.lines[-1].startswith("gym: ended, ")
        events = [json.loads(line) for line in run.events]
    assert saved(tmp_path / "short.jsonl") == list(range(1, 51))
    frames = saved(gym)
    assert frames == list(range(1, len(frames) + 1))
    assert f" {len(frames)} events" in run.lines[-1]
    printed = [event["start_seq"] for event in events if event["stream"] == "gym"]
    assert printed == frames


def test_a_file_that_is_read_again(tmp_path: Path, server: ScriptedServer) -> None:
    ports = [udp_port(), udp_port(), udp_port()]
    same = feed(f"numbers:{ports[0]}", "same", 'to = ["same.jsonl"]')
    changes, leaves = feed(f"numbers:{ports[1]}", "changes", 'to = ["changes.jsonl"]'), feed("bad:hangs", "leaves")
    path = write(tmp_path, server, same, changes, leaves, feed(f"crowd:{ports[2]}", "two", 'to = ["two.jsonl"]'))
    senders = [NumberSender(ports[0]), NumberSender(ports[1]), NumberSender(ports[2], [1, 2])]
    with running(path) as run:
        for name in ("same", "changes", "two"):
            grows(tmp_path / f"{name}.jsonl")
        assert sorted(read_events(tmp_path / "two.jsonl")) == ["two-1", "two-2"]

        path.write_text("x = " + 20_000 * "[")
        run.process.send_signal(signal.SIGHUP)
        run.says(f"{path}: expected TOML: ")
        path.write_text("[[feed]]\nsource = 3")
        run.process.send_signal(signal.SIGHUP)
        run.says(f"{path}: feed 1: source: expected a text, got 3; everything goes on as it was")
        for name in ("same", "changes", "two"):
            grows(tmp_path / f"{name}.jsonl")

        new = feed(f"numbers:{ports[2]}", "new", 'to = ["new.jsonl"]')
        write(tmp_path, server, same, changes + 'lag = "fast"', new)
        run.process.send_signal(signal.SIGHUP)
        run.says("3 feeds: 1 new, 1 changed, 1 as it was, 2 gone")
        run.says("leaves: ended")
        run.says("two: ended")
        for name in ("same", "changes", "new"):
            grows(tmp_path / f"{name}.jsonl")
        assert len(read_events(tmp_path / "changes.jsonl")) == 2, "a run for each beginning"
        assert run.end(signal.SIGINT) == 0
    for sender in senders:
        sender.close()
    assert len(read_events(tmp_path / "same.jsonl")) == 1
    frames = saved(tmp_path / "same.jsonl")
    assert frames == list(range(1, len(frames) + 1))
    opened = [(opening.stream_id, int(opening.lag)) for opening in server.opens]
    assert [opened.count(one) for one in (("same", 2), ("changes", 2), ("changes", 1))] == [1, 1, 1]


def test_a_server_that_is_away_is_waited_for_and_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    port = udp_port()
    with ScriptedServer() as server:
        pass
    path = write(tmp_path, server, feed(f"numbers:{port}", "gym", 'to = ["gym.jsonl"]', 'restart = "never"'))
    with closing(NumberSender(port)), running(path) as run:
        run.says(f"waiting for the server: no connection to {server.address}")
        run.says("gym: waiting for the server")
        with server:
            grows(tmp_path / "gym.jsonl")
        run.says("gym: waiting for the server, which has gone")
        run.process.send_signal(signal.SIGTERM)
        run.says("a second signal ends at once")
        began = time.monotonic()
        assert run.end(signal.SIGTERM) == 128 + signal.SIGTERM
        assert time.monotonic() - began < 2
    frames = saved(tmp_path / "gym.jsonl")
    assert frames == list(range(1, len(frames) + 1))


def test_it_ends_when_all_feeds_have(tmp_path: Path, server: ScriptedServer) -> None:
    once = 'restart = "never"'
    path = write(tmp_path, server, feed(recording(tmp_path, "a.csv", 50), "a", once, 'to = ["a.jsonl"]'))
    with running(path) as run:
        assert run.process.wait(20) == 0
    assert saved(tmp_path / "a.jsonl") == list(range(1, 51))
    (tmp_path / "full.csv").symlink_to("/dev/full")
    for other in (feed("none.csv", "b", once), feed(recording(tmp_path, "b.csv", 50), "b", once, 'to = ["full.csv"]')):
        write(tmp_path, server, feed("a.csv", "a", once), other)
        with running(path) as run:
            assert run.process.wait(20) == 1
