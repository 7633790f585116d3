"""Frames of actors to messages of JSON, as decoding.py reads them."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from motionscribe.sources.sending import Actor
from motionscribe_models.recordings import Recording

DIGITS = 5
"""After the point, of metres and of confidences."""


class Encoder:
    """Messages of recordings: of one as a person alone, of several as the people 1, 2, 3, ...

    Raises RecordingError for a recording that is no body in space.
    """

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._actors = [Actor(recording) for recording in recordings]
        for actor in self._actors:
            _ = actor.places  # it says now what cannot be sent

    def message(self, time_us: int, rows: Sequence[int | None]) -> str:
        """One frame; rows as Sender.send has them."""
        people = [
            {"id": str(number), "joints": _joints(actor, row)}
            for number, (actor, row) in enumerate(zip(self._actors, rows, strict=True), 1)
            if row is not None
        ]
        frame: dict[str, Any] = {"time": time_us / 1e6, "people": people}
        if len(self._actors) == 1 and people:
            frame = {"time": time_us / 1e6, "joints": people[0]["joints"]}
        return json.dumps(frame, separators=(",", ":"), allow_nan=False)


def _joints(actor: Actor, row: int) -> dict[str, list[float] | None]:
    numbers = actor.places[row].astype(np.float64)
    confidences = actor.recording.confidences
    if confidences is not None:
        numbers = np.column_stack([numbers, confidences[row]])
    seen = np.isfinite(numbers).all(axis=1).tolist()
    places = np.round(numbers, DIGITS).tolist()
    return {joint: place if is_seen else None for joint, place, is_seen in zip(actor.joints, places, seen, strict=True)}
