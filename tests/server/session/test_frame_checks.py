"""What is admitted, however odd, leaves a session that goes on: numbers stay finite, and labels cover every frame."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.repository import read_bundle
from motionscribe_proto.codec import events_to_messages
from motionscribe_proto.events import Anomaly, Label
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.frame_checks import BEYOND
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay

S = 120
"""Frames of a second."""


def frozen(usual: NDArray[np.float32], model: ServedModel) -> NDArray[np.float32]:
    """A camera that repeats its last frame, or a machine that stands still."""
    return np.repeat(usual[-1:], 20 * S, axis=0)


def broken(usual: NDArray[np.float32], model: ServedModel) -> NDArray[np.float32]:
    """The largest values that are admitted, of either sign."""
    signs = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), (5 * S, usual.shape[1]))
    return signs * np.float32(BEYOND * model.largest)


@pytest.mark.parametrize("odd", [frozen, broken])
def test_odd_frames_in_the_middle_are_only_odd(tiny_model: Path, odd: Callable[..., NDArray[np.float32]]) -> None:
    bundle = read_bundle(tiny_model)
    model = ServedModel(bundle)
    skeleton = model.manifest.skeleton
    times = np.arange(20 * S) / S
    usual = (0.3 * np.sin(2 * np.pi * times[:, None] + np.arange(skeleton.width))).astype(np.float32)
    frames = np.concatenate([usual, odd(usual, model), usual])
    recording = Recording("odd", frames, even_times(len(frames), S), skeleton)
    with np.errstate(all="raise", under="ignore"):
        emitted = list(replay(model, Inference(bundle, batch_sizes=(1,)), recording, SessionOptions(rate_hz=S)))
    events = [e.event for e in emitted]
    labels = [event for event in events if isinstance(event, Label) and event.final]
    assert labels[0].start_seq == 1
    assert labels[-1].end_seq == len(frames) + 1
    assert all(one.end_seq == two.start_seq for one, two in pairwise(labels))
    assert "nan" not in str(events_to_messages(events))
    if odd is broken:
        assert any(isinstance(event, Anomaly) for event in events)
    # the motion that was there before is known again
    before = [label.cluster for label in labels if label.end_seq < 18 * S and label.start_seq > 10 * S]
    after = [label.cluster for label in labels if label.start_seq > len(frames) - 8 * S]
    assert set(before) & set(after)
