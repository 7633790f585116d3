"""What a stream accepts next: values that a pose can have, in an order that time can have."""

from typing import NewType

import numpy as np

from motionscribe_models.errors import LayoutError
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.model import ServedModel

CheckedBlock = NewType("CheckedBlock", FrameBlock)
"""Frames that `check` let through: a stream may take them, if no others came meanwhile."""

FARTHEST = 2**62
"""Seqs and times stay below it, so that their differences and the ends of their spans fit int64."""
BEYOND = 1000.0
"""A value this many times larger than any that the model was trained on is a fault of the sender, and no pose."""
LONGEST_US = 10 * 366 * 86_400_000_000
"""A longer pause is a time of another clock or in another unit, after which every right one would run backwards."""


def check(block: FrameBlock, model: ServedModel, next_seq: int, last_us: int | None) -> CheckedBlock:
    """The block; raises LayoutError unless it may follow the frame before `next_seq`.

    That frame's time is `last_us`, None where there is none yet.
    """
    limit = BEYOND * model.largest
    possible = np.abs(block.values) <= limit  # false for NaN
    if not possible.all():
        row, column = map(int, np.argwhere(~possible)[0])  # seqs of a bad sender do not fit numpy's integers
        columns = model.manifest.skeleton.columns
        name = columns[column] if column < len(columns) else f"column {column + 1}"
        raise LayoutError(
            f"expected finite values of at most {limit:g}, got {block.values[row, column]} in {name} "
            f"of frame {block.first_seq + row}"
        )
    model.feature_map.check(block.values)
    if block.first_seq < next_seq:
        raise LayoutError(f"expected seq {next_seq} or later, got {block.first_seq}")
    times = block.timestamps_us.tolist()
    if block.next_seq > FARTHEST or min(times) <= -FARTHEST or max(times) >= FARTHEST:
        raise LayoutError(
            f"expected seq and times within 2**62, got seq {block.first_seq} "
            f"and times of {min(times)} to {max(times)} us"
        )
    last = times[0] - 1 if last_us is None else last_us
    for seq, time in enumerate(times, block.first_seq):
        if time <= last:
            raise LayoutError(f"expected times that increase, got {time} us after {last} us at frame {seq}")
        if time - last > LONGEST_US:
            raise LayoutError(
                f"expected times of one clock in microseconds, got {time} us after {last} us at frame {seq}"
            )
        last = time
    return CheckedBlock(block)
