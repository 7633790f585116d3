"""The feed on a real port: the simulator, foreign packets, the command line."""

import json
import socket
import threading

import numpy as np
import pytest
from tests.client.sources.vmc.osc_bytes import bones, bundle, ok, time
from tests.support.played_feed import heard, heard_of, stream_played
from tests.support.udp_ports import free_port

from motionscribe.demo.performer import perform
from motionscribe.sources.moments import Moment
from motionscribe.sources.schemes import open_source, parse_address
from motionscribe.sources.sending import Actor
from motionscribe.sources.vmc import feed
from motionscribe.sources.vmc.feed import VmcReader
from motionscribe.sources.vmc.simulator import VmcSender
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.errors import MissingExtraError, RecordingError
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.skeleton import Skeleton

RECORDING = perform([("walk", 1.0)], rate_hz=60).recording


def loop(recording: Recording) -> list[Moment]:
    """What comes of a recording that is played."""
    port = free_port()
    reader = VmcReader(("127.0.0.1", port))
    return heard_of(reader, [recording], lambda: VmcSender([recording], f"127.0.0.1:{port}"))


def test_a_recording_arrives_where_it_was() -> None:
    """The body that the server makes of it is that of the recording."""
    moments = loop(RECORDING)
    mapping = find_mapping(moments[0].bodies[0].skeleton)
    body = mapping.apply(np.stack([moment.bodies[0].values for moment in moments]))[:, :-1]
    np.testing.assert_allclose(body.reshape(len(moments), -1, 3), Actor(RECORDING).body, atol=1e-4)
    np.testing.assert_allclose(np.diff([m.time_us for m in moments]), np.diff(RECORDING.timestamps_us), atol=2)


def test_bones_of_unity_arrive_as_they_are_called() -> None:
    joints = ("Head", "Hips", "LeftThumbDistal")
    skeleton = Skeleton("u", joints, (-1,) * 3, "positions", "cm", 0.01, "z", 60.0)
    frames = np.random.default_rng(1).normal(0, 100, (20, 9)).astype(np.float32)
    frames[7, :3] = np.nan
    recording = Recording("u", frames, even_times(20, 60.0), skeleton)
    moments = loop(recording)
    found = moments[0].bodies[0].skeleton
    assert found.joints == ("Hips", "Head", "LeftThumbDistal")
    places = np.stack([moment.bodies[0].values.reshape(-1, 3) for moment in moments]) * (1, 1, -1)
    np.testing.assert_allclose(places, Actor(recording).places[:, [1, 0, 2]], atol=1e-4)


def test_foreign_packets_are_counted_and_passed_over() -> None:
    port, ready = free_port(), threading.Event()
    reader = VmcReader(("127.0.0.1", port))
    noise = [b"", b"\0" * 12, b"{}", b"#bundle\0garbage", bundle(ok(), time(1))[:-3]]

    def send() -> None:
        assert ready.wait(10)
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for n in range(10):
                for packet in (*noise, bundle(ok()), bundle(time(n / 64), *bones())):
                    sender.sendto(packet, ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    assert len(list(heard(reader, 10, ready.set))) == 10
    thread.join(10)
    assert reader.strange == 10 * len(noise)


def test_a_second_sender_waits_until_the_first_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    here = [(n * 16_000, bundle(time(n / 64), *bones()), f"host{n % 2}") for n in range(20)]
    later = [(10_000_000 + n * 16_000, packet, "host1") for n, (_, packet, _) in enumerate(here)]
    monkeypatch.setattr(
        feed,
        "datagrams",
        lambda address: iter(
            [(10_000_000, *rest) for _, *rest in here] + [(20_000_000 + t, *rest) for t, *rest in later]
        ),
    )
    reader = VmcReader(("", 1))
    assert sum(moment is not None for moment in reader.moments()) == 10 + 20
    assert reader.strange == 10


def test_recordings_that_cannot_be_sent() -> None:
    with pytest.raises(RecordingError, match="expected one recording for VMC, a feed of one person, got 2"):
        VmcSender([RECORDING, RECORDING], "")


def test_without_its_extra_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("pythonosc", "pythonosc.parsing"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[osc\]"'):
        open_source("vmc:")
    scheme, address = parse_address("vmc:39540")
    with pytest.raises(MissingExtraError):
        scheme.open_sender([RECORDING], address)


def test_the_command_streams_what_a_simulator_sends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = stream_played(monkeypatch, f"vmc:127.0.0.1:{free_port()}", [RECORDING])
    (opened,) = server.opens
    assert opened.stream_id == "stage"
    assert list(opened.skeleton.joints[:3]) == ["Hips", "Neck", "Head"]
    assert opened.skeleton.left_handed
    assert opened.skeleton.rate_hz == pytest.approx(60, rel=0.01)  # measured by the sender's times
    (blocks,) = server.frames.values()
    labels = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [label["start_seq"] for label in labels] == list(range(1, sum(map(len, blocks)) + 1))
