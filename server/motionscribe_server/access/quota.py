"""How fast a tenant may send: from a faster sender nothing is read for a while, and gRPC holds it back.

In: frames and bytes that came, a clock. Out: seconds to wait before more is read. Nothing is lost or refused.
"""

from collections.abc import Callable

BURST_S = 1.0
"""How far a tenant may be ahead of its rate, seconds: live feeds send blocks."""


class Quota:
    """Frames and bytes a second of each tenant; 0 is no limit. `now` is a clock in seconds."""

    def __init__(self, frames_s: float, bytes_s: float, now: Callable[[], float]) -> None:
        self._rates = frames_s, bytes_s
        self._now = now
        self._used_until: dict[tuple[str, int], float] = {}  # time until which a tenant's budget is used up

    def spend(self, tenant: str, frames: int, size: int) -> float:
        """A block of `size` bytes came; returns for how many seconds no more may come."""
        now, wait = self._now(), 0.0
        for kind, (rate, amount) in enumerate(zip(self._rates, (frames, size), strict=True)):
            if rate:
                used_until = max(now, self._used_until.get((tenant, kind), now)) + amount / rate
                self._used_until[tenant, kind] = used_until
                wait = max(wait, used_until - now - BURST_S)
        return wait
