"""Streams of actions by a semi-Markov chain, and what a model of their order says of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_server.session.anomaly.habitual_order import HabitualOrder
from motionscribe_server.session.span import Span

MOMENT_S = 0.1
MOMENT_US = 100_000
LAWS: dict[str, Callable[[np.random.Generator], float]] = {
    "log-normal": lambda rng: rng.lognormal(0, 0.4),
    "exponential": lambda rng: rng.exponential(),
    "of two kinds": lambda rng: rng.lognormal(0, 0.1) * (4 if rng.random() < 0.02 else 1),
    "long-tailed": lambda rng: 0.3 + rng.pareto(1.5),
}
"""Of seconds, about 1."""
Visit = tuple[int, int]
"""A cluster, and for how many moments."""


def cycle(rounds: int, clusters: Sequence[int] = (1, 2, 3, 4), seed: int = 0, spread: float = 0.1) -> list[Visit]:
    """One action after another, of about 3 s each."""
    rng = np.random.default_rng(seed)
    return [(id, max(1, round(30 * rng.lognormal(0, spread)))) for _ in range(rounds) for id in clusters]


def random_chain(seed: int, actions: int = 6, law: str = "log-normal") -> Iterator[Visit]:
    """Without end, of about a second each; some steps are common and some rare."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet([0.3] * actions, size=actions) * (1 - np.eye(actions))
    chances /= chances.sum(axis=1, keepdims=True)
    seconds, at = rng.lognormal(0, 0.3, actions), 0
    while True:
        yield at + 1, max(2, round(LAWS[law](rng) * seconds[at] / MOMENT_S))
        at = int(rng.choice(actions, p=chances[at]))


def show(
    order: HabitualOrder, visits: Iterable[Visit], first: int = 0, faults: Sequence[int] = ()
) -> NDArray[np.float64]:
    """(n, 2) rates of order and of durations at each of the n moments, the first of which has number `first`.

    `faults` are visits with one, by their place in `visits`.
    """
    rates, moment = [], first
    for number, (cluster, moments) in enumerate(visits):
        for nth in range(moments):
            faulty = number in faults and nth == moments // 2
            span = Span(moment + 1, moment + 2, moment * MOMENT_US, (moment + 1) * MOMENT_US)
            order.add(span, cluster, faulty)
            rates.append(order.take())
            moment += 1
    return np.array(rates)
