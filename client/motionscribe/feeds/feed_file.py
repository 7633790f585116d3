"""Reads a file of feeds: TOML goes in, checked feeds come out. Opens no source and no sink.

Names of files in it are beside it. Whatever is wrong raises BadFile, with the file and the place in it.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motionscribe.async_client import DEFAULT_ADDRESS
from motionscribe.connection.arguments import Connection, read_connection
from motionscribe.connection.channel import check_address
from motionscribe.errors import BadFile, MotionscribeError
from motionscribe.feeds.keys import CONNECTION, FEED, SHARED, Key
from motionscribe.feeds.restarting import Restart
from motionscribe.feeds.streams import Plan
from motionscribe.sinks import addresses
from motionscribe.sources import schemes
from motionscribe_models.body.own_names import read_own_names
from motionscribe_models.errors import ContractError


@dataclass(frozen=True)
class Feed:
    """One feed of a file."""

    plan: Plan
    restart: Restart
    places: tuple[str, ...]
    """Where events go, names of files as they are from here."""
    files: tuple[Path, ...]
    """Those of them that are files."""

    @property
    def name(self) -> str:
        """For people, and to know it again: its stream id."""
        return self.plan.stream_id or ""


@dataclass(frozen=True)
class FeedFile:
    """All that is in a file. Files that it names were read: feeds are equal where these are equal, too."""

    connection: Connection
    feeds: tuple[Feed, ...]


def read_feeds(path: Path) -> FeedFile:
    """Raises BadFile, OSError for a file that cannot be read."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadFile(f"{path}: expected a file of feeds, found none") from error
    except (ValueError, RecursionError) as error:  # also of numbers with too many digits
        raise BadFile(f"{path}: expected TOML: {error}") from error
    feeds, defaults = table.pop("feed", []), table.pop("defaults", {})
    if not isinstance(feeds, list) or not feeds or not all(isinstance(feed, dict) for feed in feeds):
        raise BadFile(f"{path}: expected feeds, each below [[feed]], got {'another thing' if feeds else 'none'}")
    if not isinstance(defaults, dict):
        raise BadFile(f"{path}: expected a table [defaults], got {defaults!r}")
    with _at(f"{path}"):
        connection = _connection(path.parent, _checked(CONNECTION, table))
    with _at(f"{path}: defaults"):
        shared = _checked(SHARED, defaults)
    read: list[Feed] = []
    taken = _Taken(path)
    for number, given in enumerate(feeds, 1):
        with _at(f"{path}: feed {number}"):
            own = _checked((*FEED, *SHARED), given)
            for key in ("source", "stream_id"):
                if key not in own:
                    raise BadFile(f"expected the key {key}, got none")
            read.append(_feed(path.parent, {key.name: key.default for key in (*FEED, *SHARED)} | shared | own))
            taken.add(number, read[-1])
    return FeedFile(connection, tuple(read))


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Errors say where."""
    try:
        yield
    except (MotionscribeError, ContractError, OSError, ValueError, ArithmeticError, RecursionError) as error:
        raise BadFile(f"{place}: {error}") from error


def _checked(keys: Sequence[Key], table: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are given."""
    known = {key.name: key for key in keys}
    values = {}
    for name, value in table.items():
        if name not in known:
            raise BadFile(f"expected one of the keys {', '.join(known)}, got {name}")
        with _at(name):
            values[name] = known[name].check(value)
    return values


def _connection(folder: Path, given: Mapping[str, Any]) -> Connection:
    values = {key.name: given.get(key.name, key.default) for key in CONNECTION}
    address = values.pop("address") or os.environ.get("MOTIONSCRIBE_ADDRESS") or DEFAULT_ADDRESS
    check_address(address)
    if bool(values["cert"]) != bool(values["key"]):
        raise BadFile("expected cert and key, got one of them")
    files = {key.name: folder / values[key.name] for key in CONNECTION if key.value == "file" and values[key.name]}
    return read_connection(address, **values | files)


def _feed(folder: Path, values: Mapping[str, Any]) -> Feed:
    places, files = [], []
    with _at("to"):
        for text in values["to"]:
            place, address = addresses.parse_place(text)
            if addresses.is_file(place):
                files.append(folder / address)
            places.append(str(folder / address) if addresses.is_file(place) else text)
    with _at("source"):
        source = _source(folder, values["source"])
    joints = {}
    if values["joints"]:
        with _at("joints"):
            joints = read_own_names(folder / values["joints"])
    options = {key.name: values[key.name] for key in SHARED if key.name != "to"}
    plan = Plan(source, values["stream_id"], values["person"], joints, values["speed"], options)
    return Feed(plan, values["restart"], tuple(places), tuple(files))


def _source(folder: Path, text: str) -> str:
    """A source whose file is beside the file of feeds, as it is from here. Raises RecordingError."""
    if (folder / text).exists():
        return str(folder / text)
    scheme, address = schemes.parse_address(text)
    if scheme is schemes.FILE:
        return str(folder / text)
    is_file = bool(address) and (folder / address).is_file()  # such as a video, which a camera's scheme takes
    return f"{scheme.name}:{folder / address}" if is_file else text


class _Taken:
    """What only one feed may have: its stream id, what it reads, the files that it writes."""

    def __init__(self, path: Path) -> None:
        self._names: dict[str, int] = {}
        self._sources: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._path = _real(path)

    def add(self, number: int, feed: Feed) -> None:
        """Raises BadFile where an earlier feed has it."""
        source = _real(feed.plan.text)
        if (other := self._names.setdefault(feed.name, number)) != number:
            raise BadFile(f"expected another stream_id than that of feed {other}, got {feed.name}")
        if (other := self._sources.setdefault(source, number)) != number:
            raise BadFile(f"expected another source than that of feed {other}, got {feed.plan.text}")
        if source in self._written:
            raise _other_file(self._written[source], feed.plan.text, "is read")
        for file in feed.files:
            real = _real(file)
            if file.exists() and not file.is_file():  # a device or a pipe, which holds nothing to lose
                continue
            if real == self._path or real in self._sources:
                raise _other_file(number, file, "is this one" if real == self._path else "is read")
            if real in self._written:
                raise _other_file(number, file, f"feed {self._written[real]} writes")
            self._written[real] = number


def _other_file(number: int, file: Path | str, why: str) -> BadFile:
    return BadFile(f"expected in `to` of feed {number} another file than {file}, which {why}")


def _real(file: Path | str) -> str:
    return os.path.realpath(file)
