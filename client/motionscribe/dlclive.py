"""A processor for DeepLabCut-Live: its poses go to a server while its own loop goes on, and events come back.

    from motionscribe.dlclive import Processor

    live = DLCLive("exported_model", processor=Processor(["nose", "left_ear", ...], stream_id="arena-1"))

It has the two methods that `dlclive.Processor` of DeepLabCut-Live 1.1 has, and imports nothing of that package.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe.async_client import DEFAULT_ADDRESS
from motionscribe.client import Client
from motionscribe.events import AnomalyScores, Event, Label
from motionscribe.feed_clock import now_us
from motionscribe.sinks.jsonlines import write_lines
from motionscribe.sources import PushSource
from motionscribe_models.skeleton import Skeleton

log = logging.getLogger(__name__)

KEPT = 10_000
"""Events for `save`; labels are not among them, segments are."""
LAST_EVENTS_S = 10.0
"""How long `close` waits for them."""


class Processor:
    """Sends poses of one individual as a stream. `process` never waits and never raises, whatever the server does.

    `joints` are the body parts of the exported model, in its order. `on_event` gets each event in a thread of its own.
    Without a `model` a body of a person is labelled with `body2d`; of animals name one that was trained on them.
    `connection` is what Client takes. What ends the stream early is logged, and poses are passed on without it.
    """

    def __init__(
        self,
        joints: Sequence[str],
        *,
        stream_id: str = "dlclive",
        address: str = DEFAULT_ADDRESS,
        model: str = "",
        rate_hz: float = 30.0,
        on_event: Callable[[Event], None] | None = None,
        **connection: Any,
    ) -> None:
        # as the files of DeepLabCut are read
        skeleton = Skeleton(
            name="keypoints",
            joints=tuple(joints),
            parents=(-1,) * len(joints),
            representation="positions2d",
            units="px",
            metres_per_unit=1.0,
            up_axis="-y",
            rate_hz=rate_hz,
            level=False,
        )
        self.source = PushSource(name=stream_id, skeleton=skeleton)
        self.strange = 0
        """Poses that were none of these joints."""
        self._stream_id = stream_id
        self._model = model
        self._on_event = on_event
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._client = Client(address, **connection)
        self._thread = threading.Thread(target=self._stream, name=f"motionscribe-{stream_id}", daemon=True)
        self._thread.start()

    def process(self, pose: NDArray[np.floating], **kwargs: Any) -> NDArray[np.floating]:
        """The same pose (J, 3), x and y in pixels and likelihood, as DLCLive.get_pose calls it.

        `frame_time`, in seconds, is when the image was taken; now where it is not given.
        """
        try:
            taken_s = kwargs.get("frame_time")
            time_us = now_us() if taken_s is None else round(float(taken_s) * 1e6)
            x_y_likelihood = np.array(pose, np.float64)
            x_y_likelihood[~np.isfinite(x_y_likelihood)] = np.nan
            self.source.push(x_y_likelihood[:, :2].ravel(), time_us, np.clip(x_y_likelihood[:, 2], 0, 1))
        except Exception as error:  # nothing that comes may stop the experiment
            self.strange += 1
            if self.strange == 1:
                log.warning("%s: a pose was passed over: %s", self._stream_id, error)
        return pose

    def save(self, file: str | Path | None = None) -> int:
        """Writes the segments and alarms until now as JSON lines, in place of a file of that name.

        1 where that was done, else 0.
        """
        with self._lock:
            events = list(self._events)
        if not file or not events:
            return 0
        try:
            write_lines(file, {self._stream_id: events})
        except OSError as error:
            log.error("%s: %s", self._stream_id, error)
            return 0
        return 1

    def close(self) -> None:
        """Ends the stream, for when DLCLive is closed; it does not say so. Waits for the last events."""
        self.source.close()
        self._thread.join(LAST_EVENTS_S)
        self._client.close()

    def _stream(self) -> None:
        """The thread."""
        try:
            for event in self._client.stream(self.source, stream_id=self._stream_id, model=self._model):
                if not isinstance(event, Label | AnomalyScores):
                    with self._lock:
                        self._events.append(event)
                self._tell(event)
        except Exception as error:
            log.error("%s: no more poses are sent: %s", self._stream_id, error)
        self.source.close()

    def _tell(self, event: Event) -> None:
        if self._on_event:
            try:
                self._on_event(event)
            except Exception:
                log.exception("%s: the callback on events", self._stream_id)
