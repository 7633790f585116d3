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
    good, fault = split(block, model, next_seq, last_us)
    if good is None or fault:
        raise fault or ValueError("expected a block of frames, got none")
    return good


def split(
    block: FrameBlock, model: ServedModel, next_seq: int, last_us: int | None
) -> tuple[CheckedBlock | None, LayoutError | None]:
    """The frames of a block before the first that may not follow, and what is wrong with that one; None for neither."""
    rows, fault = len(block), None
    for find in (_value_fault, _pose_fault, _seq_fault, _time_fault):
        if rows and (found := find(block.rows(0, rows), model, next_seq, last_us)):
            rows, fault = found
    good = block if rows == len(block) else block.rows(0, rows) if rows else None
    return None if good is None else CheckedBlock(good), fault


Fault = tuple[int, LayoutError]
"""The row of a frame, and why it is refused."""


def _value_fault(block: FrameBlock, model: ServedModel, next_seq: int, last_us: int | None) -> Fault | None:
    limit = BEYOND * model.largest
    possible = np.abs(block.values) <= limit  # false for NaN
    if model.feature_map.representation.may_be_lost:
        possible |= np.isnan(block.values)
    if possible.all():
        return None
    row, column = map(int, np.argwhere(~possible)[0])  # seqs of a bad sender do not fit numpy's integers
    columns = model.manifest.skeleton.columns
    name = columns[column] if column < len(columns) else f"column {column + 1}"
    return row, LayoutError(
        f"expected finite values of at most {limit:g}, got {block.values[row, column]} in {name} "
        f"of frame {block.first_seq + row}"
    )


def _pose_fault(block: FrameBlock, model: ServedModel, next_seq: int, last_us: int | None) -> Fault | None:
    try:
        model.feature_map.check(block.values)
    except LayoutError as error:
        if len(block) == 1 or block.values.shape[1] != model.manifest.skeleton.width:
            return 0, error
        # seldom: the same question, of the first half and then of the second
        half = len(block) // 2
        if fault := _pose_fault(block.rows(0, half), model, next_seq, last_us):
            return fault
        row, error = _pose_fault(block.rows(half, len(block)), model, next_seq, last_us) or (0, error)
        return half + row, error
    return None


def _seq_fault(block: FrameBlock, model: ServedModel, next_seq: int, last_us: int | None) -> Fault | None:
    if block.first_seq < next_seq:
        return 0, LayoutError(f"expected seq {next_seq} or later, got {block.first_seq}")
    if block.next_seq > FARTHEST:
        return 0, LayoutError(f"expected seq and times within 2**62, got seq {block.first_seq}")
    return None


def _time_fault(block: FrameBlock, model: ServedModel, next_seq: int, last_us: int | None) -> Fault | None:
    times = block.timestamps_us.tolist()
    last = times[0] - 1 if last_us is None else last_us
    for row, time in enumerate(times):
        seq = block.first_seq + row
        if not -FARTHEST < time < FARTHEST:
            return row, LayoutError(f"expected seq and times within 2**62, got {time} us at frame {seq}")
        if time <= last:
            return row, LayoutError(f"expected times that increase, got {time} us after {last} us at frame {seq}")
        if time - last > LONGEST_US:
            return row, LayoutError(
                f"expected times of one clock in microseconds, got {time} us after {last} us at frame {seq}"
            )
        last = time
    return None
