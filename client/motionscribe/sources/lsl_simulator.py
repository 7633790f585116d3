"""Replays a recording as a Lab Streaming Layer outlet: a motion-capture system for tests and for trying things out."""

import time
import uuid

from motionscribe.pacing import Pacer
from motionscribe.sources.lsl import load_pylsl
from motionscribe_models.recordings import Recording

# LSL does not say when a sample has arrived
LINGER_S = 1.0
CONSUMER_POLL_S = 0.5


def simulate_lsl(recording: Recording, *, name: str = "motionscribe", speed: float = 1.0) -> None:
    """Waits for somebody to listen, sends all frames at `speed` times their pace, and returns when they are sent.

    The stream is of type MoCap, its channels are labelled with the skeleton's columns. Times are the LSL clock at the
    first frame plus the recording's own. Raises MissingExtraError.
    """
    pylsl = load_pylsl()
    skeleton = recording.skeleton
    info = pylsl.StreamInfo(name, "MoCap", skeleton.width, skeleton.rate_hz, pylsl.cf_float32, str(uuid.uuid4()))
    info.set_channel_labels(list(skeleton.columns))
    outlet = pylsl.StreamOutlet(info)
    while not outlet.wait_for_consumers(CONSUMER_POLL_S):
        pass
    pacer = Pacer(speed)
    start_us = int(recording.timestamps_us[0])
    start_s = pylsl.local_clock()
    for frame, time_us in zip(recording.frames, recording.timestamps_us.tolist(), strict=True):
        time.sleep(pacer.wait_s(start_us, time_us))
        outlet.push_sample(frame, start_s + (time_us - start_us) / 1e6)
    time.sleep(LINGER_S)
