"""A throw-away feed: `count:N` gives N frames of what the scripted server understands. One line in SCHEMES adds it."""

from motionscribe.sources import IterableSource, Source
from motionscribe.sources.schemes import Scheme

LINE = Scheme("count", "N", "N made-up frames", "tests.throwaway.feed:open_count", extra="counting")


def open_count(address: str, rate_hz: float | None) -> Source:
    """N frames, 10 ms apart."""
    return IterableSource(((10_000 * n, [n % 5, 0.5]) for n in range(int(address))), name="count", rate_hz=100.0)
