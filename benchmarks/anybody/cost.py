"""What any skeleton costs a server, on top of the network: `python -m benchmarks.anybody.cost`.

Microseconds of one thread for a frame of one stream: mapping a message of five frames of 33 landmarks, as the serving
process does for each; and following 100 bodies at once in their own axes, as a worker does, levelled and with lost
joints. Prints a table and puts its rows into results.json beside this file. Median of rounds, with quartiles.
"""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.results import Numbers, quartiles, save
from motionscribe_models.body.joints import DERIVED, JOINTS
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.features import FeatureMap
from motionscribe_models.recordings.keypoint_names import MEDIAPIPE_33 as LANDMARKS
from motionscribe_models.representations.base import NOTHING_BEFORE
from motionscribe_models.skeleton import Skeleton

ROUNDS = 200
MESSAGE, STREAMS = 5, 100
LOST = 0.1
"""Share of the joints."""


def microseconds(call: Callable[[], object], frames: int) -> Numbers:
    """Of `frames` frames."""
    call()
    found = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        call()
        found.append(1e6 * (time.perf_counter() - begin) / frames)
    return quartiles(found)


def main() -> None:
    """Measures, prints and writes."""
    rng = np.random.default_rng(0)
    camera = Skeleton("camera", LANDMARKS, (-1,) * len(LANDMARKS), "positions", "m", 1.0, "-y", 30.0, level=False)
    mapping = find_mapping(camera)
    message = rng.normal(size=(MESSAGE, camera.width)).astype(np.float32)
    message[rng.random(message.shape) < LOST] = np.nan

    bodies = FeatureMap(BODY, tuple(range(len(DERIVED), len(JOINTS))))
    frames = rng.normal(size=(MESSAGE, BODY.width)).astype(np.float32)
    frames[:, -1] = 0
    frames[:, :-1][rng.random((MESSAGE, BODY.width - 1)) < LOST] = np.nan
    poses = [bodies.pose(frames)] * STREAMS
    memories = [NOTHING_BEFORE] * STREAMS

    def follow() -> None:
        memories[:] = bodies.follow(memories, poses, 1 / 30.0)[1]

    rows = {
        "cost/mapping_us": microseconds(lambda: mapping.apply(message), MESSAGE),
        "cost/follow_us": microseconds(follow, MESSAGE * STREAMS),
    }
    save(__file__, "cost", rows)


if __name__ == "__main__":
    main()
