"""What QTM's packets hold; damaged ones raise ValueError, whatever is in them."""

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.sources.qtm import qtm_bytes as made

from motionscribe.sources.qtm.packets import HEADER, LARGEST, Kind, Packets, read_data, read_parameters

PLACES = [[1.0, 2.0, 3.0], [4.0, 5.0, float("nan")]]


def content(packet: bytes) -> bytes:
    ((_, found),) = Packets().take(packet)
    return found


def test_skeletons_and_markers_of_a_frame() -> None:
    packet = made.data(5_000_000_000, made.ANALOG, made.skeletons(PLACES, []), made.markers(PLACES))
    data = read_data(content(packet))
    assert data.time_us == 5_000_000_000
    assert data.skeletons is not None
    assert [len(segments) for segments in data.skeletons] == [2, 0]
    np.testing.assert_array_equal(data.skeletons[0]["place"], np.array(PLACES, np.float32))
    np.testing.assert_array_equal(data.skeletons[0]["turn"], [[0, 0, 0, 1]] * 2)
    np.testing.assert_array_equal(data.markers, np.array(PLACES, np.float32))
    assert read_data(content(made.data(1, made.markers([]), made.skeletons()))).skeletons == []
    nothing = read_data(content(made.data(1)))
    assert (nothing.markers, nothing.skeletons) == (None, None)


def test_names_parents_and_the_axis_that_is_up() -> None:
    tree = made.segment("Hips", made.segment("Spine", made.segment("Head")), made.segment("LeftUpLeg"))
    packet = made.xml(
        made.skeleton("A&amp;B", tree), made.skeleton("C", made.chain("x")), markers=["l-heel", "é"], up="-Y"
    )
    found = read_parameters(content(packet))
    first, second = found.skeletons
    assert (first.name, first.joints, first.parents) == ("A&B", ["Hips", "Spine", "Head", "LeftUpLeg"], [-1, 0, 1, 0])
    assert (second.name, second.joints, second.parents) == ("C", ["x"], [-1])
    assert found.markers == ["l-heel", "é"]
    assert found.up_axis == "-y"
    assert read_parameters(content(made.xml(up="sideways"))).up_axis == "z"


@pytest.mark.parametrize("text", [b"", b"<a>", b"no XML", b"\xff\xfe", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_what_is_no_xml_of_qtm_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_parameters(text)


@pytest.mark.parametrize("piece", [1, 7, 8, 9, 1000])
def test_packets_are_put_together_from_any_pieces(piece: int) -> None:
    whole = made.command("one") + made.packet(6, b"\4") + made.data(1, made.markers(PLACES)) + made.packet(4, b"")
    packets = Packets()
    came = [got for at in range(0, len(whole), piece) for got in packets.take(whole[at : at + piece])]
    assert [kind for kind, _ in came] == [Kind.COMMAND, Kind.EVENT, Kind.DATA, Kind.NO_MORE_DATA]
    assert came[0][1] == b"one\0"
    assert not packets.incomplete


@pytest.mark.parametrize("size", [0, 7, LARGEST + 1, 2**32 - 1])
def test_sizes_that_cannot_be_end_it(size: int) -> None:
    """A size of 0 keeps other readers busy for ever, a large one fills their memory."""
    with pytest.raises(ValueError, match="expected a packet"):
        list(Packets().take(HEADER.pack(size, 3)))


def test_cut_data_are_refused_at_every_length() -> None:
    whole = content(made.data(1, made.skeletons(PLACES), made.markers(PLACES)))
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"."):
            read_data(whole[:length])
    endless = struct.pack("<qII", 1, 1, 2**32 - 1) + struct.pack("<II", 0, 3)
    with pytest.raises(ValueError, match="expected a component"):
        read_data(endless)


@given(st.binary(max_size=300))
def test_noise_raises_nothing_else(noise: bytes) -> None:
    for read in (read_data, read_parameters):
        with suppress(ValueError):
            read(noise)
    with suppress(ValueError):
        list(Packets().take(noise))


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_packet_with_a_damaged_byte_raises_nothing_else(at: int, value: int) -> None:
    whole = bytearray(content(made.data(1, made.skeletons(PLACES, PLACES), made.markers(PLACES))))
    whole[at % len(whole)] = value
    with suppress(ValueError):
        read_data(bytes(whole))
