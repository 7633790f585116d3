"""An edit that is refused leaves no trace: a session that goes on from a snapshot does not hear of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Protocol

from motionscribe_models.state import State


class Part(Protocol):
    """What an edit may change."""

    def state(self) -> State:
        """See motionscribe_models/state.py."""

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""


@contextmanager
def all_or_nothing(*parts: Part) -> Iterator[None]:
    """What is raised within takes back what was done within; the parts are restored in the order in which they come."""
    before = deepcopy([part.state() for part in parts])
    try:
        yield
    except BaseException:
        for part, state in zip(parts, before, strict=True):
            part.restore(state)
        raise
