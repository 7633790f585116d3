"""`motionscribe record` and `replay`: what came is kept as it came, and sent again as it came. Over real sockets."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.made_feed import MadeSender, made_feeds
from tests.support.udp_ports import free_port, is_bound
from tests.support.waiting import wait_until

from motionscribe.cli import main
from motionscribe.commands import record
from motionscribe.sources.sending import Track, play
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.recordings import Recording, even_times, read_recording, write_recording
from motionscribe_models.recordings.npz import read_take
from motionscribe_models.recordings.take import Take

SKELETON = replace(BODY, name="two", joints=("hip", "knee"), parents=(-1, 0), representation="positions")
TIMES = [1_000, 2_000, 2_000, 1_500, 9_000_000_000, 3_000, 4_000, 5_000]


@pytest.fixture(autouse=True)
def _feeds() -> Iterator[None]:
    with made_feeds():
        yield


def of(count: int, first: float = 0.0) -> Recording:
    frames = first + np.arange(6 * count, dtype=np.float32).reshape(count, 6)
    frames[count // 2, 3:] = np.nan
    return Recording("r", frames, even_times(count, 100.0), SKELETON, confidences=np.full((count, 2), 0.75, np.float32))


@contextmanager
def recorded(*arguments: str) -> Iterator[int]:
    """A port that `motionscribe record` listens to meanwhile; ends when it does."""
    port = free_port()
    codes: list[int] = []
    feed, *rest = arguments
    line = ["record", f"{feed}:127.0.0.1:{port}", *rest]
    thread = threading.Thread(target=lambda: codes.append(main(line)), daemon=True)
    thread.start()
    wait_until(lambda: is_bound(port) or bool(codes))
    yield port
    thread.join(20)
    assert codes == [0]


def taken(path: Path) -> Take:
    take = read_take(path)
    assert take is not None
    return take


def test_what_comes_is_kept_as_it_comes_and_sent_again_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = of(len(TIMES))
    leave_us = [0, 10_000, 20_000, 20_000, 150_000, 160_000, 170_000, 180_000]
    with recorded("made", str(tmp_path / "a.npz")) as port:
        sender = MadeSender([recording], f"127.0.0.1:{port}", claimed_hz=60.0)
        play([recording], sender, track=Track(leave_us, TIMES, [[row] for row in range(len(TIMES))]))
    first = taken(tmp_path / "a.npz")
    assert (first.times_us.tolist(), first.feed, first.skeleton.rate_hz) == (TIMES, "made", 60.0)
    np.testing.assert_array_equal(first.frames, recording.frames)
    np.testing.assert_array_equal(first.confidences, recording.confidences)
    assert f"{tmp_path / 'a.npz'}: {len(TIMES)} frames" in capsys.readouterr().out

    with recorded("made", str(tmp_path / "b.npz")) as port:
        assert main(["replay", str(tmp_path / "a.npz"), "--as", f"made:127.0.0.1:{port}"]) == 0
    again = taken(tmp_path / "b.npz")
    assert again.times_us.tolist() == TIMES
    np.testing.assert_array_equal(again.frames, first.frames)
    np.testing.assert_array_equal(again.confidences, first.confidences)
    pauses = [np.diff(take.arrived_us)[3] for take in (first, again)]
    assert all(pause > 100_000 for pause in pauses), "the pause comes again"
    # the command that records leaves a file that streams and converts take
    assert main(["convert", str(tmp_path / "a.npz"), str(tmp_path / "a.csv")]) == 0
    assert len(read_recording(tmp_path / "a.csv").frames) == 5


def test_each_person_has_a_file_and_all_are_sent_again_together(tmp_path: Path) -> None:
    people = [of(30), of(20, first=500.0)]
    with recorded("crowd", str(tmp_path / "gym.npz")) as port:
        play(people, MadeSender(people, f"127.0.0.1:{port}"), speed=10.0)
    files = [tmp_path / "gym-a.npz", tmp_path / "gym-b.npz"]
    assert sorted(tmp_path.iterdir()) == files
    assert [len(taken(path).frames) for path in files] == [30, 20]
    with recorded("crowd", str(tmp_path / "again.npz"), "--person", "b") as port:
        assert main(["replay", *map(str, files), "--as", f"made:127.0.0.1:{port}", "--speed", "10"]) == 0
    np.testing.assert_array_equal(taken(tmp_path / "again.npz").frames, people[1].frames)


def test_another_skeleton_begins_another_file(tmp_path: Path) -> None:
    with recorded("made", str(tmp_path / "a.npz")) as port:
        recordings = of(3), replace(of(4), skeleton=replace(SKELETON, up_axis="z"))
        senders = [MadeSender([recording], f"127.0.0.1:{port}") for recording in recordings]
        for recording, sender in zip(recordings, senders, strict=True):
            for row in range(len(recording.frames)):
                sender.send(row, [row])
        for sender in senders:
            sender.close()
    assert [len(taken(tmp_path / name).frames) for name in ("a.npz", "a-skeleton-2.npz")] == [3, 4]


def test_it_ends_after_so_many_seconds_and_writes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "WRITE_S", 0.05)
    path = tmp_path / "a.npz"
    recording = of(60)
    stopped = threading.Event()
    with recorded("made", str(path), "--seconds", "0.5") as port:
        sender = MadeSender([recording], f"127.0.0.1:{port}")
        arguments = {"repeat": True, "stopped": stopped}
        threading.Thread(target=play, args=([recording], sender), kwargs=arguments, daemon=True).start()
        wait_until(path.exists)  # what a killed process would leave
        assert len(taken(path).frames) < 45
    stopped.set()
    take = taken(path)
    assert 200_000 < take.arrived_us[-1] - take.arrived_us[0] < 700_000
    np.testing.assert_array_equal(np.diff(take.times_us[:50]), 10_000)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_recording_is_complete(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    program = (
        "import sys; from motionscribe.cli import main; from tests.support.made_feed import made_feeds\n"
        "with made_feeds(): sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["record", f"made:127.0.0.1:{port}", str(tmp_path / "a.npz")]
    with subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("waiting for made:")
        wait_until(lambda: is_bound(port))
        sender = MadeSender([of(5)], f"127.0.0.1:{port}")
        sender.send(0, [0])
        assert process.stdout.readline().startswith("recording: ")
        process.send_signal(number)
        assert process.wait(20) == 0
        sender.close()
    assert len(taken(tmp_path / "a.npz").frames) == 1


def test_what_cannot_be_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "there.npz"
    (tmp_path / "gym-a.npz").touch()
    write_recording(of(5), there)
    for line, said in (
        (["record", str(there), str(tmp_path / "new.npz")], "expected a live feed"),
        (["record", "made:1", str(tmp_path / "new.csv")], "expected a file ending in .npz"),
        (["record", "made:1", str(tmp_path / "away" / "new.npz")], "expected a folder"),
        (["record", "made:1", str(there)], "expected a new file"),
        (["record", f"crowd:127.0.0.1:{free_port()}", str(tmp_path / "gym.npz")], "gym-a.npz, which exists"),
        (
            ["replay", str(there)],
            "made, crowd, got a file that names no feed",
        ),
        (
            ["replay", str(there), "--as", "camera"],
            "made, crowd, got camera",
        ),
        (["replay", str(tmp_path / "none.npz"), "--as", "made"], "expected a file, found none"),
    ):
        assert main(line) == 1, line
        assert said in capsys.readouterr().err
    with recorded("made", str(tmp_path / "again.npz")) as port:  # any recording, at its own pace
        assert main(["replay", str(there), "--as", f"made:127.0.0.1:{port}", "--speed", "5"]) == 0
    assert taken(tmp_path / "again.npz").times_us.tolist() == even_times(5, 100.0).tolist()


def test_a_feed_in_which_nobody_is_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    codes: list[int] = []
    line = ["record", f"made:127.0.0.1:{port}", str(tmp_path / "a.npz")]
    thread = threading.Thread(target=lambda: codes.append(main(line)), daemon=True)
    thread.start()
    wait_until(lambda: is_bound(port))
    MadeSender([of(1)], f"127.0.0.1:{port}").close()
    thread.join(20)
    assert codes == [1]
    assert f"expected the made feed on UDP port {port}, got nothing" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
