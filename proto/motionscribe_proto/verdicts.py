"""What a user may say of an anomaly."""

from typing import Literal, get_args

Verdict = Literal["none", "normal", "fault"]
"""Nothing, or no longer anything; this was normal; this was a fault."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
