"""Blocks of streams: every row gets its own answer, whoever else is there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_server.session.blocks import BLOCK, in_blocks


@given(st.integers(0, 3 * BLOCK + 1))
def test_rows_keep_their_order_and_zeros_fill_the_last_block(count: int) -> None:
    rows, blocks = 1.0 + np.arange(2.0 * count).reshape(count, 2), list[NDArray[np.floating]]()

    def answer(block: NDArray[np.floating]) -> Array:
        blocks.append(block.copy())
        return np.stack([block[:, 1], block[:, 0], -block[:, 0]], axis=1)

    assert in_blocks(answer, rows, 3).tolist() == [[y, x, -x] for x, y in rows.tolist()]
    assert {len(block) for block in blocks} <= {BLOCK}
    everything = np.concatenate([np.zeros((0, 2)), *blocks])
    assert everything[:count].tolist() == rows.tolist()
    assert not everything[count:].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(st.integers(1, 200), st.integers(2, 80), st.integers(0, 999))
def test_a_product_has_the_same_bits_wherever_its_row_stands(dtype: type, inner: int, outer: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights: NDArray[np.floating] = rng.normal(size=(inner, outer)).astype(dtype)
    rows: NDArray[np.floating] = rng.normal(size=(BLOCK + 3, inner)).astype(dtype)
    together = in_blocks(lambda block: block @ weights, rows, outer)
    alone = [in_blocks(lambda block: block @ weights, row[None], outer)[0] for row in rows]
    assert together.tobytes() == np.array(alone).tobytes()
