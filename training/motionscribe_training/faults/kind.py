"""The kinds of fault."""

from enum import StrEnum

from motionscribe_training.errors import TrainingError


class Kind(StrEnum):
    """What goes wrong, and how it looks."""

    SWAP = "swap"
    """Both arms, or both legs, are taken for each other."""
    FREEZE = "freeze"
    """A limb stands still, as seen from its trunk."""
    DRIFT = "drift"
    """A joint turns away at an even pace."""
    JUMP = "jump"
    """A joint is turned from one frame to the next, and back at the end."""
    DROPOUT = "dropout"
    """A joint is lost: rotation 0; place NaN."""
    ZEROS = "zeros"
    """A joint is lost: place 0 0 0. Places only: of rotations, this is DROPOUT."""
    LIMP = "limp"
    """A leg swings less."""
    TREMOR = "tremor"
    """A joint trembles."""
    FROZEN_FEED = "frozen feed"
    """The same frame comes again and again."""


LIMB_KINDS = frozenset({Kind.SWAP, Kind.FREEZE, Kind.LIMP})
"""Faults of a whole limb, named by the joint that it begins with."""


def kind_of(name: str) -> Kind:
    """Raises TrainingError for a kind that does not exist."""
    try:
        return Kind(name)
    except ValueError:
        raise TrainingError(f"expected a kind of fault, {', '.join(Kind)}, got {name!r}") from None
