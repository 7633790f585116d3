"""`motionscribe doctor` over real sockets: six planted faults are found and named, healthy feeds are let be."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from tests.client.commands.test_recording import recorded
from tests.support.feeds import as_places
from tests.support.made_feed import MADE, MadeSender, made_feeds
from tests.support.udp_ports import free_port, is_bound
from tests.support.waiting import wait_until

from motionscribe.cli import main
from motionscribe.commands.doctor import listen
from motionscribe.demo.performer import perform
from motionscribe.sources.diagnosis import diagnose
from motionscribe.sources.sending import play
from motionscribe_models.recordings import Recording, write_recording

SECONDS = 6.5
"""A drift needs five."""


@pytest.fixture(autouse=True)
def _feeds() -> Iterator[None]:
    with made_feeds():
        yield


def walking(rate_hz: float = 60.0, seconds: float = 4.0) -> Recording:
    return as_places(perform([("walk", seconds)], 1, rate_hz).recording)


def changed(recording: Recording, change: Callable[[np.ndarray], None]) -> Recording:
    frames = recording.frames.copy()
    change(frames)
    return replace(recording, frames=frames)


def _lost(frames: np.ndarray) -> None:
    frames[:, -3:] = np.nan


def _in_cm(frames: np.ndarray) -> None:
    frames *= 100


def _z_up(frames: np.ndarray) -> None:
    places = frames.reshape(-1, 3)
    places[:] = places[:, [0, 2, 1]] * [1, -1, 1]


class Planted:
    """A sender with something between it and the wire."""

    def __init__(self, sender: MadeSender, stamp: Callable[[int], int], wait: Callable[[], float]) -> None:
        self._sender, self._stamp, self._wait = sender, stamp, wait

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        time.sleep(self._wait())
        self._sender.send(self._stamp(time_us), rows)

    def close(self) -> None:
        self._sender.close()


@dataclass(frozen=True)
class Case:
    recording: Recording
    faults: list[str]
    claimed_hz: float = 60.0
    stamp: Callable[[int], int] = lambda time_us: time_us
    wait: Callable[[], float] = lambda: 0.0


def cases() -> dict[str, Case]:
    rng = np.random.default_rng(0)
    walk = walking()
    return {
        "healthy": Case(walk, []),
        "slow": Case(walking(15.0), [], claimed_hz=15.0),
        "fast": Case(walking(240.0), [], claimed_hz=240.0),
        "cm as m": Case(changed(walk, _in_cm), ["wrong unit"]),
        "z up": Case(changed(walk, _z_up), ["swapped axes"]),
        "rate": Case(walk, ["wrong rate"], claimed_hz=120.0),
        "lost": Case(changed(walk, _lost), ["missing joint"]),
        "stamps": Case(walk, ["jitter of time stamps"], stamp=lambda us: us + int(rng.uniform(0, 16_000))),
        "network": Case(
            walking(30.0), ["jitter of arrivals"], claimed_hz=30.0, wait=lambda: float(rng.choice([0, 0, 0.06]))
        ),
        "drift": Case(walk, ["clock drift"], stamp=lambda us: us + us // 500),
    }


def found(case: Case) -> list[str]:
    """By a feed that is sent and heard meanwhile."""
    port, stopped = free_port(), threading.Event()
    sender = Planted(MadeSender([case.recording], f"127.0.0.1:{port}", case.claimed_hz), case.stamp, case.wait)
    arguments = {"repeat": True, "stopped": stopped}
    thread = threading.Thread(target=play, args=([case.recording], sender), kwargs=arguments, daemon=True)
    thread.start()
    try:
        (take,), claimed_hz, _ = listen(MADE, f"127.0.0.1:{port}", SECONDS)
    finally:
        stopped.set()
        thread.join(20)
    findings = diagnose(*(take.skeleton, take.frames, take.times_us), arrived_us=take.arrived_us, claimed_hz=claimed_hz)
    return [finding.fault for finding in findings]


def test_planted_faults_are_found_and_healthy_feeds_are_let_be() -> None:
    planted = cases()
    with ThreadPoolExecutor(len(planted)) as threads:
        outcomes = dict(zip(planted, threads.map(found, planted.values()), strict=True))
    assert outcomes == {name: case.faults for name, case in planted.items()}


def test_it_says_what_to_do_of_a_feed(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    codes: list[int] = []
    line = ["doctor", f"made:127.0.0.1:{port}", "--seconds", "0.7", "--rate", "120"]
    thread = threading.Thread(target=lambda: codes.append(main(line)), daemon=True)
    thread.start()
    wait_until(lambda: is_bound(port))
    recording = walking(seconds=1.0)
    play([recording], MadeSender([recording], f"127.0.0.1:{port}"))
    thread.join(20)
    assert codes == [1]
    first, fault, advice, unjudged = capsys.readouterr().out.splitlines()
    assert first.startswith("made: 15 joints, positions, ")
    assert fault == "wrong rate: says 120 Hz, sends 60.0 Hz, one frame every 16.7 ms"
    assert advice == "  to do: set the sender's rate to what it sends, or give --rate 60"
    assert unjudged == "not judged: drift of the clock: takes 6 s"


def test_a_recording_is_judged_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = walking()
    well, sick = tmp_path / "well.npz", tmp_path / "sick.npz"
    write_recording(recording, well)
    write_recording(changed(recording, _in_cm), sick)
    assert main(["doctor", str(well)]) == 0
    _, *said = capsys.readouterr().out.splitlines()
    assert said == ["no fault found", "not judged: clock, arrivals: this is no feed"]
    assert main(["doctor", str(sick)]) == 1
    assert "to do: these are cm: set the sender to m" in capsys.readouterr().out
    joints = tmp_path / "joints.txt"
    joints.write_text("left_knee: thing\n")
    named = replace(
        recording.skeleton, joints=tuple(j.replace("left_knee", "thing") for j in recording.skeleton.joints)
    )
    write_recording(replace(recording, skeleton=named), tmp_path / "named.npz")
    assert main(["doctor", str(tmp_path / "named.npz")]) == 1
    assert main(["doctor", str(tmp_path / "named.npz"), "--joints", str(joints)]) == 0


def test_what_was_recorded_is_judged_by_its_arrivals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = walking(seconds=2.0)
    with recorded("made", str(tmp_path / "a.npz")) as port:
        sender = Planted(MadeSender([recording], f"127.0.0.1:{port}"), lambda us: us // 2, lambda: 0.0)
        play([recording], sender)
    assert main(["doctor", str(tmp_path / "a.npz")]) == 1
    assert "wrong rate: says 120 Hz, times are those of 120.0 Hz, frames come at " in capsys.readouterr().out


def test_a_feed_in_which_nobody_is_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["doctor", f"made:127.0.0.1:{port}"])), daemon=True)
    thread.start()
    wait_until(lambda: is_bound(port))
    MadeSender([walking(seconds=1.0)], f"127.0.0.1:{port}").close()
    thread.join(20)
    assert codes == [1]
    assert "expected the made feed on UDP port" in capsys.readouterr().err
