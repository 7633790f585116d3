"""One thing that is wrong with a feed, for people."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A fault."""

    fault: str
    """In a word or two: `wrong unit`."""
    evidence: str
    """What was measured, in numbers, and what was expected."""
    advice: str
    """What to change: a setting of the sender, or an option of ours."""
