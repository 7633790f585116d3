"""What the page tells a browser: plain JSON values, each a dict whose "is" says what it is.

Numbers that JSON does not know (NaN of a joint that was not seen, infinity) become null.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motionscribe.descriptions import Cluster, KeptAnomaly, StreamInfo
from motionscribe.events import Event
from motionscribe.exemplars import ClusterMap, Exemplars
from motionscribe.explanations import Explanation
from motionscribe.poses import Poses
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.events import to_dict

Message: TypeAlias = dict[str, Any]

DECIMALS = 4
"""Of a place: a tenth of a millimetre where units are metres, less than a pixel of the page in any unit."""


def streams_message(streams: Sequence[StreamInfo], error: str | None) -> Message:
    """The list of live streams; `error` says why the server did not answer."""
    rows = [
        {
            "id": stream.stream_id,
            "model": f"{stream.model}/{stream.version}",
            "rate_hz": stream.rate_hz,
            "has_owner": stream.has_owner,
            "frames": stream.received_seq,
        }
        for stream in streams
    ]
    return {"is": "streams", "streams": rows, "error": error}


def opened_message(stream: StreamInfo, start_us: int | None, history: bool) -> Message:
    """A stream is watched from now on. `start_us` is the time of its first frame, None where that is not known.

    With `history` what was kept of it follows, which replaces what the viewer has.
    """
    return {
        "is": "opened",
        "stream": stream.stream_id,
        "start_us": start_us,
        "history": history,
        "skeleton": skeleton_layout(stream.skeleton),
    }


def skeleton_layout(skeleton: Skeleton) -> Message:
    """What a figure is drawn by."""
    return {
        "joints": skeleton.joints,
        "parents": skeleton.parents,
        "representation": skeleton.representation,
        "up_axis": skeleton.up_axis,
        "metres_per_unit": skeleton.metres_per_unit,
    }


def ended_message(stream_id: str, error: str | None) -> Message:
    """A stream is not live; `error` says why the server did not answer."""
    return {"is": "ended", "stream": stream_id, "error": error}


def forgotten_message(stream_id: str) -> Message:
    """The server keeps nothing of a stream: it was deleted."""
    return {"is": "forgotten", "stream": stream_id}


def event_message(stream_id: str, event: Event) -> Message:
    """An event, with the fields of events.py."""
    return {"is": "event", "stream": stream_id, **to_dict(event)}


def poses_message(stream_id: str, poses: Poses) -> Message:
    """The newest poses: K times, and K rows of the D columns of the model's layout."""
    return {
        "is": "poses",
        "stream": stream_id,
        "times_us": poses.timestamps_us.tolist(),
        "frames": rounded(poses.frames),
    }


def past_poses_message(stream_id: str, times_us: NDArray[np.int64], frames: NDArray[np.floating]) -> Message:
    """Poses of before the viewer came, in the form of `poses_message`."""
    return {"is": "past_poses", "stream": stream_id, "times_us": times_us.tolist(), "frames": rounded(frames)}


def rounded(frames: NDArray[np.floating]) -> Any:
    """Places as nested lists of numbers that are no longer than needed."""
    return np.round(frames.astype(np.float64), DECIMALS).tolist()


def clusters_message(stream_id: str, clusters: Sequence[Cluster]) -> Message:
    """All clusters of a stream, without what changes by the mere passing of time."""
    shown = ("id", "name", "merged_into", "warm", "segments", "seconds", "guessed")
    rows = [{name: getattr(cluster, name) for name in shown} for cluster in clusters]
    return {"is": "clusters", "stream": stream_id, "clusters": rows}


def anomalies_message(stream_id: str, anomalies: Sequence[KeptAnomaly]) -> Message:
    """The newest anomalies, as they were told last, with what was said of them."""
    rows = [{**to_dict(kept.event), "verdict": kept.verdict, "fired": dict(kept.fired)} for kept in anomalies]
    return {"is": "anomalies", "stream": stream_id, "anomalies": rows}


def explanation_message(stream_id: str, explanation: Explanation) -> Message:
    """Why a segment has its label."""
    return {"is": "explanation", "stream": stream_id, **asdict(explanation)}


def exemplars_message(stream_id: str, cluster: int, exemplars: Exemplars) -> Message:
    """What a cluster looks like: its clips, each with the start of its segment (null for the model's own)."""
    clips = [{"start_us": clip.start_us, "frames": rounded(clip.frames)} for clip in exemplars.clips]
    return {
        "is": "exemplars",
        "stream": stream_id,
        "cluster": cluster,
        "skeleton": skeleton_layout(exemplars.skeleton),
        "rate_hz": exemplars.rate_hz,
        "clips": clips,
    }


def map_message(stream_id: str, found: ClusterMap) -> Message:
    """Where clusters and the newest moments lie."""
    places = [
        {"cluster": cluster, "place": place}
        for cluster, place in zip(found.clusters, rounded(found.places), strict=True)
    ]
    return {
        "is": "map",
        "stream": stream_id,
        "clusters": places,
        "trail": rounded(found.trail),
        "end_us": found.end_us,
        "radius": found.radius,
    }


def to_json(message: Message) -> str:
    """As the browser reads it."""
    try:
        return _dump(message)
    except ValueError:  # rare: looking at each number beforehand would double the time
        return _dump(_without_infinities(message))


def _dump(message: Message) -> str:
    """Raises ValueError for NaN and infinity."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def _without_infinities(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {name: _without_infinities(part) for name, part in value.items()}
        case list() | tuple():
            return [_without_infinities(part) for part in value]
    return value
