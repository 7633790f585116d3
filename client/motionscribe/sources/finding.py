"""What is streaming here: finders of feeds, each for one scheme, and the one that serves most of them.

A scheme names its finder, function(seconds) -> Found, ..., in schemes.py.
"""

import errno
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from threading import Thread

from motionscribe.errors import NotFound
from motionscribe.sources.base import Source
from motionscribe.sources.live_feed import LiveFeed
from motionscribe_models.errors import MissingExtraError

GRACE_S = 0.4
"""How much longer than it was given a finder may take."""
ENOUGH = 30
"""Moments that tell the rate."""


@dataclass(frozen=True)
class Found:
    """A feed that is here."""

    address: str
    """What stands after the scheme's name and a colon."""
    description: str
    joints: int = 0
    """Of a person; 0 where unknown."""
    rate_hz: float = 0.0
    """As measured, or as the sender says; 0 where unknown."""
    usable: bool = True
    """False where another program has it."""


Finder = Callable[[float], Iterable[Found]]


def find_by_listening(open_feed: Callable[[str, float | None], Source], address: str, seconds: float) -> list[Found]:
    """Opens a LiveFeed at its default address, waits for somebody in it, counts frames for a moment, and closes it.

    A port that another program has is told as such. Raises what opening raises, and what keeps the feed from hearing.
    """
    try:
        feed = open_feed(address, None)
        if not isinstance(feed, LiveFeed):
            raise TypeError(f"expected a LiveFeed at {address}, got {type(feed).__name__}")
        return _listen(feed, address, time.monotonic() + seconds)
    except (ConnectionError, NotFound):
        return []  # of a feed that must be connected to: nobody answers there
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return [Found(address, "in use by another program", usable=False)]


def _listen(feed: LiveFeed, address: str, end_s: float) -> list[Found]:
    arrived_us: list[int] = []
    people, joints, what = 0, 0, ""
    with closing(feed.moments()) as moments:
        for moment in moments:
            if moment and moment.bodies:
                arrived_us.append(moment.arrived_us)
                people = max(people, len(moment.bodies))
                skeleton = moment.bodies[0].skeleton
                joints, what = len(skeleton.joints), skeleton.representation
            if time.monotonic() >= end_s or len(arrived_us) >= ENOUGH:
                break
    if not arrived_us:
        return []
    took_us = arrived_us[-1] - arrived_us[0]
    rate_hz = feed.reader.rate_hz or ((len(arrived_us) - 1) * 1e6 / took_us if took_us else 0.0)
    return [Found(address, f"{_people(people)}, {what}", joints, rate_hz)]


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


Outcome = Sequence[Found] | str | MissingExtraError
"""What was found, or why nobody could look."""


def find_all(finders: Mapping[str, Finder], seconds: float) -> dict[str, Outcome]:
    """The outcome of each finder; they look all at the same time. Returns in little more time."""
    looks: dict[str, Future[Sequence[Found]]] = {}
    for name, finder in finders.items():
        looks[name] = Future()
        Thread(target=partial(_look, finder, seconds, looks[name]), name=f"motionscribe-{name}", daemon=True).start()
    end_s = time.monotonic() + seconds + GRACE_S
    return {name: _outcome(look, end_s) for name, look in looks.items()}


def _look(finder: Finder, seconds: float, look: Future[Sequence[Found]]) -> None:
    try:
        look.set_result(list(finder(seconds)))
    except BaseException as error:
        look.set_exception(error)


def _outcome(look: Future[Sequence[Found]], end_s: float) -> Outcome:
    try:
        return look.result(max(0.0, end_s - time.monotonic()))
    except Late:
        return "no answer in time"
    except MissingExtraError as error:
        return error
    except BaseException as error:
        return str(error) or type(error).__name__
