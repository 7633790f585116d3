"""A saved stream as the page shows it: the events of a file, and poses of the recording that they are of.

In: what `stream --save` wrote, and any recording that can be read. Out: plain values, thinned to what a browser holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe.descriptions import Cluster
from motionscribe.errors import BadEventsFile
from motionscribe.events import Anomaly, Event, Label, SegmentEnded
from motionscribe.page.history import span_of
from motionscribe.sinks.final_names import Naming
from motionscribe.sinks.saved_events import merges_of, read_events
from motionscribe_models.errors import LayoutError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.skeleton import Skeleton, upright

EVERY_US = 60_000
"""Between two poses: about 15 a second, as static/history.js keeps them."""
LONGEST_US = 7 * 86_400_000_000
"""What is longer is two clocks in one picture."""
MOST_VALUES = 4_000_000
"""Numbers of all poses: two hours of 13 joints at 15 Hz, 30 MB on the way; of longer recordings fewer a second."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Poses that the page can draw."""

    skeleton: Skeleton
    times_us: NDArray[np.int64]
    """(n,), ascending."""
    frames: NDArray[np.floating]
    """(n, D), columns of `skeleton`."""


@dataclass(frozen=True, eq=False)
class SavedStream:
    """One run of a stream."""

    title: str
    """Such as "gym-1" or "gym-1, run 2"."""
    events: Sequence[Event]
    """Without the labels that segments say once more, and without provisional ones: they are final by now, or never."""
    figures: Figures | None
    """None without a recording, and for one that says nothing of places."""

    @property
    def start_us(self) -> int:
        """The first time that anything is known of."""
        first = [int(self.figures.times_us[0])] if self.figures else []
        return min([*first, *(span_of(event)[0] for event in self.events)])

    @property
    def end_us(self) -> int:
        """The last one."""
        last = [int(self.figures.times_us[-1])] if self.figures else []
        return max([*last, *(span_of(event)[1] for event in self.events)])

    def clusters(self) -> list[Cluster]:
        """Those that occur, with the name that was told last. Weights are not known."""
        ended = [event for event in self.events if isinstance(event, SegmentEnded)]
        named = {e.cluster: e for e in self.events if isinstance(e, Naming)}
        merged = merges_of(self.events)
        found = []
        for cluster in sorted(named.keys() | merged.keys() | set(merged.values())):
            lengths = [event.end_us - event.start_us for event in ended if event.cluster == cluster]
            name, guessed = (named[cluster].name, named[cluster].guessed) if cluster in named else ("", False)
            times = None, None, len(lengths), sum(lengths) / 1e6
            found.append(Cluster(cluster, name, merged.get(cluster), False, 0.0, *times, guessed))
        return found

    def anomalies(self) -> list[Anomaly]:
        """Each as it was told last."""
        return list({event.anomaly: event for event in self.events if isinstance(event, Anomaly)}.values())


def read_saved(events: Path, recording: Path | None = None) -> list[SavedStream]:
    """All streams of a file of events. Where there are several, the recording is taken for that of each of them.

    Raises BadEventsFile, also for times that do not fit, RecordingError, MissingExtraError.
    """
    streams = read_events(events)
    figures = figures_of(read_recording(recording)) if recording else None
    saved = [SavedStream(title, _without_labels(told), figures) for title, told in streams.items()]
    for stream in saved:
        if stream.end_us - stream.start_us > LONGEST_US:
            beside = f" and {recording}" if recording else ""
            raise BadEventsFile(
                f"expected at most a week from the first to the last time in {events}{beside}, "
                f"got {stream.start_us} to {stream.end_us} us for {stream.title}"
            )
    return saved


def _without_labels(events: Sequence[Event]) -> list[Event]:
    ended_us = max((event.end_us for event in events if isinstance(event, SegmentEnded)), default=None)

    def is_needed(event: Event) -> bool:
        return not isinstance(event, Label) or (event.final and (ended_us is None or event.end_us > ended_us))

    return [event for event in events if is_needed(event)]


def figures_of(recording: Recording) -> Figures | None:
    """Places of the recording's own joints, in space with y up in metres, in an image as they are."""
    skeleton = recording.skeleton
    chosen = _thinned(recording.timestamps_us, MOST_VALUES // (3 * len(skeleton.joints)))
    frames, times_us = recording.frames[chosen], recording.timestamps_us[chosen]
    if skeleton.representation == "positions2d":
        return Figures(skeleton, times_us, frames)
    try:
        places = joint_positions(skeleton, frames) @ upright(skeleton).T * skeleton.metres_per_unit
    except LayoutError:
        return None
    drawn = replace(skeleton, representation="positions", up_axis="y", units="m", metres_per_unit=1.0)
    return Figures(drawn, times_us, places.reshape(len(places), -1))


def _thinned(times_us: NDArray[np.int64], most: int) -> list[int]:
    """Which of ascending times are at least EVERY_US apart, or farther where there would be more than `most`."""
    every_us = max(EVERY_US, int(times_us[-1] - times_us[0]) // max(1, most))
    chosen: list[int] = []
    next_us = int(times_us[0])
    for n, time_us in enumerate(times_us.tolist()):
        if time_us >= next_us:
            chosen.append(n)
            next_us = time_us + every_us
    return chosen
