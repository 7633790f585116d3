"""What a part of a running stream remembers, as plain values: the contract between the parts and whoever stores them.

A part that remembers something has `state() -> State` and `restore(state: State) -> None`. A part made with the same
arguments and restored from that state goes on to the bit as the first one would. What the arguments say (model,
options) is not in the state, nor what can be computed from the rest.

Arrays: `state()` may share them with the part, so store or copy the state before the part goes on. `restore()` copies
every array that the part writes into, and keeps dtype and bits.
"""

from typing import Any

State = dict[str, Any]
"""Names to bool, int, float, str, None, numpy arrays, and lists and dicts of these. No numpy scalars, no objects."""
