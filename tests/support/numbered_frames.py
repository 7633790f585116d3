"""A recording whose answers are known: each frame of it shows the cluster of its number."""

from motionscribe.events import Event, Label

Pair = tuple[int, tuple[float, float]]


def pairs(count: int) -> list[Pair]:
    """A recording whose labels are known: frame n shows cluster n % 5."""
    return [(10_000 * n, (float(n % 5), 0.5)) for n in range(count)]


def labels(count: int, first_seq: int = 1) -> list[Event]:
    """What the scripted server answers to it."""
    return [Label(n + first_seq, n + first_seq + 1, 10_000 * n, 10_000 * n + 1, n % 5, 1.0, True) for n in range(count)]
