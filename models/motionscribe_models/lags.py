"""How long a label may wait before it is final: the presets that users choose among.

A model says in its manifest how many moments each of them is; those of new models are in durations.py.
"""

from typing import Literal, get_args

Lag = Literal["fast", "balanced", "stable"]
LAGS: tuple[Lag, ...] = get_args(Lag)
