"""A state that runs on for minutes: company, other batch sizes and a server's end in between change no bit of it.

A difference in the last bit, which a window would have forgotten, would stay.
"""

import platform
from pathlib import Path

import numpy as np
import pytest
from tests.support.small_model import STRIDE, exported, made_up_features

from motionscribe_server.engine.inference import Choice, Inference
from motionscribe_server.session.steps import step_of

MINUTES = made_up_features(30 * 180)
"""Three minutes at 30 Hz."""
# Bit for bit on x86: ONNX Runtime packs constant weights once and then runs one kernel for any number of rows
SAME = 0.0 if platform.machine() in ("x86_64", "AMD64") else 1e-5


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_three_minutes_in_company_that_comes_and_goes_are_those_alone(tmp_path: Path, variant: Choice) -> None:
    bundle = exported(tmp_path / "1", MINUTES[:400])
    single, batched = Inference(bundle, variant, (1,)), Inference(bundle, variant, (1, 4, 16))
    steps = [step_of(frame, index, None, STRIDE) for index, frame in enumerate(MINUTES)]
    alone, together = single.new_state(), batched.new_state()
    chance = np.random.default_rng(0)
    others = [batched.new_state() for _ in range(15)]
    for begin in range(0, len(steps), STRIDE):
        run = steps[begin : begin + STRIDE]
        (wanted,) = single.advance([alone], [run])
        company = others[: chance.integers(len(others) + 1)]
        got = batched.advance([together, *company], [run] * (1 + len(company)))[0]
        assert (got is None) == (wanted is None)
        if got is not None and wanted is not None:
            np.testing.assert_allclose(got.projected, wanted.projected, rtol=SAME, atol=SAME)
    np.testing.assert_allclose(together, alone, rtol=SAME, atol=SAME)
