"""How many threads may compute: the same numbers, whatever the machine, and none that fight for its cores."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from motionscribe_training.errors import TrainingError


@contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """At most so many threads compute in torch, and in numpy and its like. Raises TrainingError for none.

    Sums of several threads round differently: with one, a seed gives the same model whatever the machine.
    """
    if threads < 1:
        raise TrainingError(f"expected --threads of at least 1, got {threads}")
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)
