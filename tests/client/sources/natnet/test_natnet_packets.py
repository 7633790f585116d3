"""What Motive's packets hold, of each version; damaged ones raise ValueError, whatever is in them."""

import struct
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.sources.natnet import natnet_bytes as made

from motionscribe.sources.natnet.packets import read_definitions, read_frame, read_server_info, unpack

VERSIONS = [(3, 0), (4, 0), (4, 1), (4, 2)]
BONES: list[made.Bone] = [("Hip", 0, (0.0, 1.0, 0.0)), ("Ab", 1, (0.0, 0.1, 0.0)), ("LThigh", 1, (0.1, -0.1, 0.0))]


def content(packet: bytes) -> bytes:
    return unpack(packet)[1]


@pytest.mark.parametrize("version", VERSIONS)
def test_definitions_of_skeletons_and_marker_sets(version: tuple[int, int]) -> None:
    things = made.definition(version, 1, made.bone(version, "wand", 9, 0, (0.0, 0.0, 0.0), 4))
    cameras = made.definition(version, 5, made.text("Prime 13") + bytes(28))
    packet = made.definitions(
        made.marker_set(version, "all", ["a", "b"]), things, made.skeleton(version, "Ann", 3, BONES), cameras
    )
    found = read_definitions(content(packet), version)
    assert found.marker_sets == {"all": ("a", "b")}
    bones = found.skeletons[3]
    assert (bones.name, bones.joints, bones.parents) == ("Ann", ("Hip", "Ab", "LThigh"), (-1, 0, 0))
    np.testing.assert_allclose(bones.offsets, np.array([bone[2] for bone in BONES]))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frame_with_things_around_its_people(version: tuple[int, int]) -> None:
    bones = [made.tracked((0.1, 0.2, 0.3), (0.0, 1.0, 0.0, 0.0)), made.tracked((4.0, 5.0, 6.0), flags=0)]
    packet = made.frame(version, 12.25, {3: bones, 8: []}, {"all": [(1.0, 2.0, 3.0)]}, flags=2)
    frame = read_frame(content(packet), version)
    assert (frame.seconds, frame.models_changed) == (12.25, True)
    np.testing.assert_allclose(frame.skeletons[3]["place"], [[0.1, 0.2, 0.3], [4.0, 5.0, 6.0]])
    np.testing.assert_allclose(frame.skeletons[3]["turn"][0], [0, 1, 0, 0])
    assert frame.skeletons[3]["flags"].tolist() == [1, 0]
    assert len(frame.skeletons[8]) == 0
    np.testing.assert_allclose(frame.marker_sets["all"], [[1, 2, 3]])


def test_where_frames_go() -> None:
    info = read_server_info(content(made.server_info((4, 1), 1511, "239.255.42.99")))
    assert (info.version, info.group) == ((4, 1), ("239.255.42.99", 1511))
    assert read_server_info(content(made.server_info((3, 0)))).group is None
    for port, group in ((1511, "10.0.0.1"), (0, "239.255.42.99")):
        with pytest.raises(ValueError, match="expected a multicast group"):
            read_server_info(content(made.server_info((4, 1), port, group)))


@pytest.mark.parametrize("version", VERSIONS)
def test_cut_packets_are_refused_at_every_length(version: tuple[int, int]) -> None:
    defined = made.definitions(made.skeleton(version, "Ann", 3, BONES))
    framed = made.frame(version, 1.0, {3: [made.tracked((0.0, 0.0, 0.0))]})
    for length in range(len(framed)):
        with pytest.raises(ValueError, match="expected"):
            unpack(framed[:length])
    for length in range(len(content(framed)) - 20):
        with pytest.raises(ValueError, match="expected"):
            read_frame(content(framed)[:length], version)
    for length in range(len(content(defined))):
        with pytest.raises(ValueError, match="expected"):
            read_definitions(content(defined)[:length], version)


def test_a_count_without_content_costs_nothing() -> None:
    """Such packets cost other readers gigabytes."""
    many = 0xFFFFFFFF
    before = time.process_time()
    with pytest.raises(ValueError, match="expected"):
        read_definitions(struct.pack("<III", 1, 0, 6) + b"a\0" + struct.pack("<I", many), (4, 1))
    device = struct.pack("<i", 1) + bytes(4 * 4) + bytes(4 * 2) + struct.pack("<IIII", 1, 1, 1, many)
    with pytest.raises(ValueError, match="expected"):
        read_frame(device, (3, 0))
    assert time.process_time() - before < 0.5


@given(st.binary(max_size=300), st.sampled_from(VERSIONS))
def test_noise_raises_nothing_else(noise: bytes, version: tuple[int, int]) -> None:
    for read in (unpack, read_server_info):
        with suppress(ValueError):
            read(noise)
    for read_of in (read_definitions, read_frame):
        with suppress(ValueError):
            read_of(noise, version)


@given(st.data())
def test_a_packet_with_a_damaged_byte_raises_nothing_else(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    whole = bytearray(content(made.frame(version, 1.0, {3: [made.tracked((0.0, 0.0, 0.0))]}, {"a": [(1.0, 2.0, 3.0)]})))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        read_frame(bytes(whole), version)
