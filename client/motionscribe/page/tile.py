"""What the wall shows of one stream: the newest pose, the label and how long it lasts, open alarms. No network.

In: what happens in the stream, and its tables. Out: a message for the browser, which only draws it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe.descriptions import Cluster, KeptAnomaly, StreamInfo
from motionscribe.events import Anomaly, Event, Label
from motionscribe.page.history import BACK_US
from motionscribe.page.labels import KEPT_US, Labels, joined
from motionscribe.page.messages import Message, rounded, skeleton_layout
from motionscribe.poses import Poses

HOPS = 100
"""Of clusters that became part of others."""


class Tile:
    """Of one stream, from session to session."""

    def __init__(self) -> None:
        self._clusters: dict[int, Cluster] = {}
        self.begin()

    def begin(self) -> None:
        """A session begins, or goes on after a break."""
        self._labels = Labels()
        self._alarms: dict[int, Anomaly] = {}
        self._now_us: int | None = None
        self._pose: NDArray[np.float32] | None = None

    def take(self, event: Event) -> None:
        """Passes over all but labels and alarms."""
        if isinstance(event, Label):
            self._advance(event.end_us)
            self._labels.take(event)
        elif isinstance(event, Anomaly):
            since_us = event.start_us - KEPT_US
            self._alarms = {id: one for id, one in self._alarms.items() if one.ongoing or one.end_us > since_us}
            self._alarms[event.anomaly] = event

    def take_poses(self, poses: Poses) -> None:
        """The newest one is shown."""
        self._advance(int(poses.timestamps_us[-1]))
        self._pose = poses.frames[-1]

    def take_tables(self, clusters: Sequence[Cluster], anomalies: Sequence[KeptAnomaly]) -> None:
        """As they are now."""
        self._clusters = {cluster.id: cluster for cluster in clusters}
        # those that began before the page came; times of earlier sessions are of other clocks
        self._alarms |= {kept.event.anomaly: kept.event for kept in anomalies if kept.event.ongoing}

    def message(self, stream: StreamInfo) -> Message:
        """One tile. Seconds of the strip are before now, below 0; a pose is a row of the layout's D columns.

        Alarms that ended are shown for half a minute, so that a short one is not missed.
        """
        now_us = self._now_us or 0
        roots = (run._replace(cluster=self._root(run.cluster)) for run in self._labels.runs())
        runs = joined(roots)
        label = None
        if runs:
            cluster = runs[-1].cluster
            lasts_s = round((now_us - runs[-1].start_us) / 1e6, 1)
            label = {"cluster": cluster, "name": self._name(cluster), "lasts_s": lasts_s}
        return {
            "stream": stream.stream_id,
            "has_owner": stream.has_owner,
            "label": label,
            "alarms": [
                {
                    "anomaly": one.anomaly,
                    "kind": one.kind,
                    "detector": one.detector,
                    "joints": one.joints,
                    "ended_s": None if one.ongoing else round((now_us - one.end_us) / 1e6),
                }
                for one in self._alarms.values()
                if one.ongoing or one.end_us > now_us - KEPT_US
            ],
            "strip": [
                {
                    "from_s": max(round((run.start_us - now_us) / 1e6, 2), -KEPT_US / 1e6),
                    "to_s": round((run.end_us - now_us) / 1e6, 2),
                    "cluster": run.cluster,
                }
                for run in runs
                if run.end_us > now_us - KEPT_US
            ],
            "skeleton": skeleton_layout(stream.skeleton),
            "pose": None if self._pose is None else rounded(self._pose),
        }

    def _advance(self, time_us: int) -> None:
        if self._now_us is not None and time_us < self._now_us - BACK_US:
            self.begin()  # the clock is that of another session
        self._now_us = max(time_us, time_us if self._now_us is None else self._now_us)

    def _root(self, id: int) -> int:
        """The cluster that a cluster has become part of, itself where it has not."""
        for _ in range(HOPS):
            cluster = self._clusters.get(id)
            if cluster is None or cluster.merged_into is None:
                break
            id = cluster.merged_into
        return id

    def _name(self, id: int) -> str:
        """As words.js has it: "walk", "walk?" where it is guessed, "cluster 7" without a name."""
        cluster = self._clusters.get(id)
        if cluster is None or not cluster.name:
            return f"cluster {id}"
        return f"{cluster.name}?" if cluster.guessed else cluster.name
