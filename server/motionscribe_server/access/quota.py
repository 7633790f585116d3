"""How fast a tenant may send: a sender that is faster is not read from for a while, and gRPC holds it back.

In: frames and bytes that came, a clock. Out: seconds to wait until more is read. Nothing is lost or refused.
"""

from collections.abc import Callable

BURST_S = 1.0
"""What a tenant may be ahead of its rate: live feeds send blocks."""


class Quota:
    """Frames and bytes a second of each tenant; 0 is no limit. `now` is a clock in seconds."""

    def __init__(self, frames_s: float, bytes_s: float, now: Callable[[], float]) -> None:
        self._rates = frames_s, bytes_s
        self._now = now
        self._paid: dict[tuple[str, int], float] = {}  # until when what came would have lasted, at the rate

    def spend(self, tenant: str, frames: int, size: int) -> float:
        """A block of `size` bytes came; returns for how many seconds no more may come."""
        now, wait = self._now(), 0.0
        for kind, (rate, amount) in enumerate(zip(self._rates, (frames, size), strict=True)):
            if rate:
                paid = max(now, self._paid.get((tenant, kind), now)) + amount / rate
                self._paid[tenant, kind] = paid
                wait = max(wait, paid - now - BURST_S)
        return wait
