"""What a user would write in an afternoon: grpc.aio, and one ONNX Runtime call for each window of each stream.

`python -m benchmarks.speed.simple_server MODEL_FOLDER` prints its address. It speaks enough of our protocol for the
same load: every stride frames the last window is computed from its first frame, and gets the id of the fixed centre
that is nearest to its mean decoder state. No segments, no smoothing, no new clusters, no anomalies.
"""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.speed.networks import PROJECTED, WINDOW, WholeWindow, with_onnxruntime
from motionscribe_models.features import FeatureMap
from motionscribe_models.manifest import read_manifest
from motionscribe_models.representations.base import NOTHING_BEFORE
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_from_message
from motionscribe_proto.segmentation_pb2_grpc import SegmentationServicer, add_SegmentationServicer_to_server

CENTRES = 10


class Simple(SegmentationServicer):
    """Streams one after another within a call, windows on as many threads as there are cores."""

    def __init__(self, folder: Path) -> None:
        self.manifest = read_manifest(folder)
        self._features = FeatureMap(self.manifest.skeleton, self.manifest.feature_joints)
        self._compute = with_onnxruntime(WholeWindow(self._features.width, self.manifest.hidden))
        self._centres = np.random.default_rng(0).normal(size=(CENTRES, PROJECTED))
        self._executor = ThreadPoolExecutor(2)

    async def Stream(  # noqa: N802
        self, requests: AsyncIterator[pb.StreamRequest], _context: object
    ) -> AsyncIterator[pb.StreamResponse]:
        """Open, then a label for each window."""
        skeleton, stride = self.manifest.skeleton, self.manifest.stride
        window: deque[Any] = deque(maxlen=WINDOW)
        memories, seen, told = [NOTHING_BEFORE], 0, 1
        async for request in requests:
            if request.WhichOneof("message") == "open":
                yield pb.StreamResponse(opened=pb.Opened(next_seq=1))
                continue
            block = frames_from_message(request.frames, skeleton.width, len(skeleton.joints))
            poses = self._features.pose(block.values)
            rows, memories = self._features.follow(memories, [poses], 1 / self.manifest.rate_hz)
            events = []
            for row in rows:
                window.append(row)
                seen += 1
                if seen % stride == 0 and len(window) == WINDOW:
                    cluster = await asyncio.get_running_loop().run_in_executor(
                        self._executor, self._label, np.array(window)[None]
                    )
                    labels = pb.Labels(start_seq=[told], end_seq=[seen + 1], cluster=[cluster])
                    events.append(pb.Event(labels=labels))
                    told = seen + 1
            if events:
                yield pb.StreamResponse(update=pb.Update(events=events, received_seq=seen))

    def _label(self, window: Any) -> int:
        states, _ = self._compute(window)
        return int(np.linalg.norm(self._centres - states[0].mean(axis=0), axis=1).argmin()) + 1


async def main() -> None:
    """Serves until it is stopped."""
    server = grpc.aio.server()
    add_SegmentationServicer_to_server(Simple(Path(sys.argv[1])), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
