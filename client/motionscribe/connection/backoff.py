"""How long to wait before the next attempt to reconnect."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Exponential waits with a limit; half of each is random, so that many clients do not return at once."""

    first_s: float = 0.2
    longest_s: float = 5.0
    attempts: int = 15
    """Failures in a row, without an answer in between, before the stream gives up.

    A minute where a server refuses, three where none is there.
    """

    def __post_init__(self) -> None:
        if not (0 <= self.first_s <= self.longest_s and self.attempts >= 0):
            raise ValueError(f"expected 0 <= first_s <= longest_s and attempts of 0 or more, got {self}")

    def wait_s(self, attempt: int) -> float:
        """Seconds before attempt 1, 2, ..."""
        # the exponent is bounded since 2.0**1024 overflows
        longest = min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, 60))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # spreads clients, protects nothing
