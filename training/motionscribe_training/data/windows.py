"""Windows of feature sequences: the frames to learn from, the frames to hold back, and batches of either.

In: sequences (m, F) at the model's rate, each of one recording and without gaps. Out: windows (n, L, F) float32 of L
frames, drawn at random by a seeded generator or spread evenly. No window crosses from one sequence into another, and
training windows share no frame with held-back ones. Features stay raw; the network normalises them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_training.errors import TrainingError

Features = NDArray[np.float32]

HELD_BACK = 0.1
"""Share of the frames that is used for validation only."""


class Windows:
    """All windows of `length` frames in `sequences`, addressed by number 0..len-1."""

    def __init__(self, sequences: Sequence[Features], length: int) -> None:
        """Sequences shorter than `length` have no windows. Raises TrainingError where none has any."""
        self.length = length
        long_enough = [s for s in sequences if len(s) >= length]
        if not long_enough:
            longest = max((len(s) for s in sequences), default=0)
            raise TrainingError(f"expected a sequence of at least {length} frames, the longest has {longest}")
        self._frames = np.concatenate(long_enough)
        firsts = np.cumsum([0] + [len(s) for s in long_enough[:-1]])
        self._starts = np.concatenate(
            [first + np.arange(len(s) - length + 1) for first, s in zip(firsts, long_enough, strict=True)]
        )

    def __len__(self) -> int:
        return len(self._starts)

    def take(self, numbers: NDArray[np.integer]) -> Features:
        """Windows (n, length, F) by their numbers (n,)."""
        taken: Features = self._frames[self._starts[numbers][:, None] + np.arange(self.length)]
        return taken

    def draw(self, rng: np.random.Generator, count: int) -> Features:
        """`count` windows, each equally likely, with replacement."""
        return self.take(rng.integers(len(self), size=count))

    def spread(self, most: int) -> Features:
        """At most `most` windows, evenly spread over all."""
        return self.take(np.unique(np.linspace(0, len(self) - 1, most).round().astype(np.int64)))


def hold_back(
    sequences: Sequence[Features], length: int, share: float = HELD_BACK, seed: int = 0
) -> tuple[list[Features], list[Features]]:
    """Splits sequences into parts to learn from and parts to validate with.

    From each long sequence, evenly spread blocks are held back, `share` of its frames in all, so that one trial of many
    actions validates on several of them. Sequences whose share would be shorter than one window are held back whole:
    random ones, until `share` of their frames is reached. Raises TrainingError where nothing could be held back.
    """
    learn: list[Features] = []
    held: list[Features] = []
    short: list[Features] = []
    for sequence in sequences:
        frames = int(len(sequence) * share)
        if frames < length:
            short.append(sequence)
            continue
        # blocks of about four windows: long enough to hold many windows, short enough to see several actions
        blocks = max(1, frames // (4 * length))
        centres = (np.arange(blocks) + 0.5) * len(sequence) / blocks
        end = 0
        for start in (centres - frames / blocks / 2).astype(int):
            learn.append(sequence[end:start])
            end = start + frames // blocks
            held.append(sequence[start:end])
        learn.append(sequence[end:])
    usable = [s for s in short if len(s) >= length]
    wanted = share * sum(len(s) for s in usable)
    for number in np.random.default_rng(seed).permutation(len(usable)) if len(usable) > 1 else range(len(usable)):
        # a single short recording is never held back: nothing else may be there to learn from
        take = wanted > 0 and len(usable) > 1
        (held if take else learn).append(usable[number])
        wanted -= len(usable[number]) if take else 0
    if not held:
        raise TrainingError(
            f"expected recordings long enough to hold back {share:.0%} of them in windows of {length} frames, "
            f"got {len(sequences)} of at most {max((len(s) for s in sequences), default=0)} frames"
        )
    return learn, held
