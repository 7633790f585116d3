"""Addresses of senders that are asked, and ids of the people whom they name."""

import pytest

from motionscribe.errors import NotFound
from motionscribe.sources.host_port import host_port
from motionscribe.sources.person_ids import LONGEST, person_ids


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
    assert person_ids(["Ann", "Ann-2", "Ann", "Bö b", "..", "", "a" * 99]) == [
        *("Ann", "Ann-2", "Ann-3", "B-b", "person", "person-2"),
        "a" * LONGEST,
    ]
    assert len(set(person_ids(["Ann"] * 20_000))) == 20_000
