"""Addresses of senders that are asked, and ids of the people whom they name."""

import re

import pytest

from motionscribe.errors import NotFound
from motionscribe.sources.host_port import host_port
from motionscribe.sources.person_ids import LONGEST, MARK, person_id, person_ids


@pytest.mark.parametrize(
    ("text", "address"),
    [
        *(("", ("here", 7)), ("lab", ("lab", 7)), ("lab:9", ("lab", 9)), (":9", ("here", 9)), ("lab:0", ("lab", 0))),
        *(("[::1]:9", ("::1", 9)), ("[::1]", ("::1", 7))),
    ],
)
def test_what_an_address_does_not_say_is_the_default(text: str, address: tuple[str, int]) -> None:
    assert host_port(text, ("here", 7)) == address


@pytest.mark.parametrize("text", ["lab:", "lab:x", "lab:65536", "lab:-1", "lab:9:9", "lab:²"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(NotFound, match="expected HOST or HOST:PORT, a port from 0 to 65535, got "):
        host_port(text, ("here", 7))


@pytest.mark.parametrize("text", ["a..b", f"{64 * 'a'}:9", "a\0b", "\udcff"])
def test_what_can_be_no_host_is_refused(text: str) -> None:
    with pytest.raises(NotFound, match="expected the name of a host, got "):
        host_port(text, ("here", 7))


def test_ids_are_plain_and_differ() -> None:
    names = ["Ann", "Ann_2", "李", "王", "a/b", "a-b", "a_b", "..", "", "-a", "\ud800", "a" * 99, "a" * 98]
    ids = [person_id(name) for name in names]
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", id) and len(id) <= LONGEST + 1 + MARK for id in ids)
    assert ids[:2] == names[:2]
    assert ids[2:5] == ["person-c16667ca", "person-3399a0e6", "a-b-c14cddc0"]  # in every run


def test_an_id_depends_on_nobody_else() -> None:
    assert person_ids(["李", "王"])[1:] == person_ids(["王"])
    ann = person_ids(["Ann", "Bob", "Ann", "Ann-7", "Ann"], [3, 4, 7, 8, 9])
    assert len({*ann}) == 5
    assert (ann[1], ann[3]) == ("Bob", "Ann-7")
    assert person_ids(["Ann", "Ann"], [7, 9]) == [ann[2], ann[4]]
    assert [id.rpartition("-")[0] for id in person_ids(["Ann"] * 3)] == ["Ann-1", "Ann-2", "Ann-3"]
