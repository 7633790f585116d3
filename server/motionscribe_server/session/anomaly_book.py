"""The anomalies of a stream, those of one session after another's: what each was, what fired, what its user said of it.

In: anomalies as they stand, verdicts. Out: the newest of them, as values, and packed as a store keeps them. An id names
one anomaly for ever. What a verdict does is the business of anomaly/allowances.py.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from motionscribe_models.state import State
from motionscribe_proto.events import Anomaly, from_dict, to_dict
from motionscribe_proto.verdicts import VERDICTS, Verdict
from motionscribe_server.errors import ExhaustedError, NotFoundError

MOST = 256
"""Anomalies that are kept of a stream under a model; the oldest without a mark make room."""
MOST_MARKED = 64
"""Of these, with a mark."""
SHOWN = 8
"""Ids that an error names."""


@dataclass(frozen=True, slots=True)
class Fired:
    """What one score saw of an anomaly."""

    score: str
    columns: tuple[int, ...]
    """Of the score, those that took part."""
    peaks: tuple[float, ...]
    """The largest z of each, before anything was allowed."""


@dataclass(frozen=True, slots=True)
class KeptAnomaly:
    """One anomaly, as it was told last or stands."""

    event: Anomaly
    fired: tuple[Fired, ...] = ()
    verdict: Verdict = "none"


@dataclass(frozen=True, slots=True)
class PackedBook:
    """A book as it travels and is kept: nobody on the way needs to know what is in it."""

    next_id: int = 1
    """First id that no anomaly of the stream ever had."""
    marks: int = 0
    """Anomalies with a verdict."""
    text: str = "[]"
    """JSON, a map for each anomaly. Whoever changes it raises FORMAT of snapshot.py and the formats of the stores."""

    def unpack(self) -> tuple[KeptAnomaly, ...]:
        """In ascending order of id."""
        return tuple(_from_row(row) for row in json.loads(self.text))


class AnomalyBook:
    """Of one stream under one model."""

    def __init__(self, packed: PackedBook) -> None:
        self._fill(packed)

    @property
    def kept(self) -> Sequence[KeptAnomaly]:
        """In ascending order of id."""
        return tuple(self._kept.values())

    def begin(self) -> int:
        """The id of a new anomaly."""
        self._next_id += 1
        return self._next_id - 1

    def put(self, event: Anomaly, fired: tuple[Fired, ...]) -> None:
        """The anomaly as it stands now; its verdict stays."""
        before = self._kept.get(event.anomaly)
        self._set(KeptAnomaly(event, fired, before.verdict if before else "none"))
        while len(self._kept) > MOST:
            old = (id for id, kept in self._kept.items() if kept.verdict == "none" and not kept.event.ongoing)
            id = next(old)
            del self._kept[id]
            self._texts.pop(id, None)

    def mark(self, id: int, verdict: Verdict) -> None:
        """Raises NotFoundError, ExhaustedError where too many have marks; then nothing has changed."""
        if id not in self._kept:
            newest = ", ".join(map(str, [*self._kept][-SHOWN:])) or "none"
            raise NotFoundError(f"expected an anomaly that is kept of the stream, the newest are {newest}, got {id}")
        kept = self._kept[id]
        if verdict != "none" and kept.verdict == "none" and self._marks == MOST_MARKED:
            raise ExhaustedError(
                f"expected at most {MOST_MARKED} marked anomalies in a stream, got one more: take a mark back with "
                "'motionscribe anomalies clear'"
            )
        self._set(replace(kept, verdict=verdict))

    def end_all(self) -> None:
        """None goes on: those that were open when an earlier session was lost have ended with it."""
        for kept in self.kept:
            if kept.event.ongoing:
                self._set(replace(kept, event=replace(kept.event, ongoing=False, phase="ended")))

    def packed(self) -> PackedBook:
        """As it is now."""
        for id, kept in self._kept.items():
            if id not in self._texts:
                self._texts[id] = json.dumps(_to_row(kept))
        return PackedBook(self._next_id, self._marks, f"[{', '.join(self._texts[id] for id in self._kept)}]")

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        packed = self.packed()
        return {"next_id": packed.next_id, "marks": packed.marks, "text": packed.text}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._fill(PackedBook(state["next_id"], state["marks"], state["text"]))

    def _fill(self, packed: PackedBook) -> None:
        self._next_id = packed.next_id
        self._kept = {kept.event.anomaly: kept for kept in packed.unpack()}
        self._texts: dict[int, str] = {}  # of those that have not changed since they were packed

    @property
    def _marks(self) -> int:
        return sum(kept.verdict != "none" for kept in self._kept.values())

    def _set(self, kept: KeptAnomaly) -> None:
        self._kept[kept.event.anomaly] = kept
        self._texts.pop(kept.event.anomaly, None)


def _to_row(kept: KeptAnomaly) -> dict[str, Any]:
    fired = [{"score": own.score, "columns": own.columns, "peaks": own.peaks} for own in kept.fired]
    return {"anomaly": to_dict(kept.event), "fired": fired, "verdict": kept.verdict}


def _from_row(row: dict[str, Any]) -> KeptAnomaly:
    """Raises ValueError, LookupError or TypeError for what is no row."""
    event, verdict = from_dict(row["anomaly"]), row["verdict"]
    if not isinstance(event, Anomaly) or verdict not in VERDICTS:
        raise ValueError(f"expected an anomaly and one of {', '.join(VERDICTS)}, got {row!r:.200}")
    fired = (Fired(own["score"], tuple(own["columns"]), tuple(own["peaks"])) for own in row["fired"])
    return KeptAnomaly(event, tuple(fired), verdict)
