"""Names and merges that came after the events were saved, from a server or a file, put into the events."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motionscribe.descriptions import Cluster
from motionscribe.errors import BadFile
from motionscribe.events import Event
from motionscribe.sinks.final_names import finally_named, names_in
from motionscribe.sinks.saved_events import encoding_of, merges_of


@dataclass(frozen=True)
class LaterNames:
    """What is known of the clusters of a stream by now."""

    names: Mapping[int, str] = field(default_factory=dict)
    """By cluster; an empty one was taken away."""
    merged_into: Mapping[int, int | None] = field(default_factory=dict)
    """By cluster; None stands for itself."""

    def apply(self, events: Sequence[Event]) -> list[Event]:
        """Segments with the cluster and the name of now: as the events say at last, where nothing later is known."""
        merged: dict[int, int | None] = {**merges_of(events), **self.merged_into}
        return finally_named(events, names_in(events) | dict(self.names), merged)


def names_of(clusters: Iterable[Cluster]) -> LaterNames:
    """As a server tells them."""
    known = list(clusters)
    return LaterNames({one.id: one.name for one in known}, {one.id: one.merged_into for one in known})


def read_names(path: Path) -> LaterNames:
    """A file with a line `3 = walking` a cluster, or what `clusters list --json` prints. Raises OSError, BadFile."""
    names: dict[int, str] = {}
    merged: dict[int, int | None] = {}
    with path.open(encoding=encoding_of(path), errors="backslashreplace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                cluster, name, into = _parse(line.strip())
            except ValueError:
                expected = "expected 3 = NAME or a line of clusters list --json"
                raise BadFile(f"{path}, line {number}: {expected}, got {line.strip()[:60]!r}") from None
            names[cluster] = name
            merged |= into
    return LaterNames(names, merged)


def _parse(line: str) -> tuple[int, str, dict[int, int | None]]:
    """A cluster, its name, and what it is part of where the line says so. Raises ValueError."""
    if not line.startswith("{"):
        number, equals, given = line.partition("=")
        if not equals:
            raise ValueError(line)
        return int(number), given.strip(), {}
    values: dict[str, Any] = json.loads(line)
    match values:
        case {"id": int(cluster), "name": str(name), "merged_into": int() | None as into}:
            return cluster, name, {cluster: into}
        case _:
            raise ValueError(line)
