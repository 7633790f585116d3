"""Packets of OSC, byte by byte: what is read of them, and that no byte makes the reader stumble."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.sources.vmc.osc_bytes import LOCAL, bone, bones, bundle, message, ok, root, text, time

from motionscribe.sources.vmc.osc import OscDecoder, OscError
from motionscribe.sources.vmc.packets import Packet, PacketReader

READER = PacketReader()


def test_a_message_as_the_specification_prints_it() -> None:
    packet = bytes.fromhex("2f6f7363696c6c61746f722f342f6672657175656e637900 2c660000 43dc0000")
    assert OscDecoder(["/oscillator/4/frequency"]).messages(packet) == [("/oscillator/4/frequency", [440.0])]


def test_a_bundle_of_bundles_is_read_in_its_order() -> None:
    packet = bundle(
        ok(), bundle(time(2.5), bone("Hips", (1, 2, 3), (0, 0, 0, 1))), root((4, 5, 6)), bone("Spine", (7, 8, 9))
    )
    assert READER.read(packet) == Packet(
        2_500_000, (4, 5, 6, 0, 0, 0, 1), {"Hips": (1, 2, 3, 0, 0, 0, 1), "Spine": (7, 8, 9, 0, 0, 0, 1)}
    )


@pytest.mark.parametrize(
    "packet",
    [
        message("/VMC/Ext/Blend/Val", "sf", text("Joy") + struct.pack(">f", 0.5)),
        message("/VMC/Ext/Hmd/Pos", "TFNI", b""),
        message("/avatar/parameters/MuteSelf", "x", b""),
        text("/VMC/Ext/Blend/Apply"),
        bone("Tail", (1, 2, 3)),
        bundle(),
    ],
)
def test_what_is_no_concern_of_ours_is_passed_over(packet: bytes) -> None:
    assert READER.read(packet) == Packet()


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"{}",
        bytes(16),
        b"#bundle\0",
        b"#bundle\0" + bytes(8) + struct.pack(">i", -4),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 0),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 2**31 - 1) + b"/VMC",
        message("/VMC/Ext/T", "s", text("now")),
        message("/VMC/Ext/T", "f", struct.pack(">f", float("nan"))),
        message("/VMC/Ext/T", "d", struct.pack(">d", 1e300)),
        message("/VMC/Ext/T", "[f]", struct.pack(">f", 1)),
        message("/VMC/Ext/T", "", b""),
        message("/VMC/Ext/Bone/Pos", "sfff", text("Hips") + struct.pack(">3f", 1, 2, 3)),
        message("/VMC/Ext/Bone/Pos", "ffffffff", struct.pack(">8f", *range(8))),
        message("/VMC/Ext/Bone/Pos", "s", b"\xff\xfe\xff\0"),
    ],
)
def test_what_is_damaged_is_refused(packet: bytes) -> None:
    with pytest.raises(OscError):
        READER.read(packet)


def test_every_part_of_a_packet_is_refused_but_the_whole() -> None:
    whole = bone("Hips", (1, 2, 3))
    for end in range(len(whole)):
        with pytest.raises(OscError):
            READER.read(whole[:end])
        with pytest.raises(OscError):
            READER.read(bundle(ok(), whole)[: -(len(whole) - end)])
    assert READER.read(whole).bones.keys() == {"Hips"}


def test_bundles_in_each_other_beyond_all_depth() -> None:
    packet = time(1)
    while len(packet) < 60_000:
        packet = bundle(packet)
    assert READER.read(packet).time_us == 1_000_000


WHOLE = bundle(ok(), time(1.5), root((0, 0, 0)), *bones(LOCAL))


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(noise: bytes) -> None:
    for packet in (noise, b"#bundle\0" + noise, text("/VMC/Ext/Bone/Pos") + noise):
        try:
            READER.read(packet)
        except OscError:
            continue


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_a_packet_with_damage_in_it_is_read_or_refused(at: int, noise: bytes) -> None:
    try:
        packet = READER.read(WHOLE[:at] + noise + WHOLE[at + len(noise) :])
    except OscError:
        return
    assert packet.bones.keys() <= LOCAL.keys() | {"Chest"}
