"""Messages of JSON to moments. Pure.

    {"time": 12.5, "joints": {"left_hip": [x, y, z], "left_knee": [x, y, z, 0.9], "nose": null}, "person": "anna"}
    {"time": 12.5, "people": [{"id": "anna", "joints": {...}}, {"joints": {...}}]}

`time` is seconds by the sender's clock, else the time of arrival counts. A place is two numbers in an image, or three
in space, of which a fourth is the confidence; null was not seen. `units` (m, cm, mm; m), `up` (y, -y, z, ...; y, in an
image -y) and `left_handed` (false) stand beside `joints` or `people`. A joint that a message leaves out was not seen.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from motionscribe.sources.json_feeds.skeletons import Axes, Skeletons
from motionscribe.sources.moments import MOST_JOINTS, Body, Moment
from motionscribe.sources.person_ids import person_id
from motionscribe_models.skeleton import UP_AXES, Skeleton
from motionscribe_models.strict_json import parse_json

LARGEST = 1 << 20
"""Bytes of a message."""
MOST_PEOPLE, LONGEST_NAME = 64, 128
FARTHEST = 1e9
"""Of any unit; such a number is no place."""
LATEST_S = 1e12
"""A later time, or one so long before zero, is none."""
SET_BACK_US = 1_000_000
"""A time that is so much earlier is that of a sender that began anew."""
AWAY_US = 2_000_000
"""Who was silent for longer may send other joints."""
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001}
ONE = "1"
"""Who is alone and has no name."""

Places = Mapping[str, list[float] | None]
Person = tuple[str, Places]
"""An id, empty where the sender gives none, and places by joint."""


class StrangeMessageError(ValueError):
    """The message is damaged, or something else than a frame."""


class Decoder:
    """Reads the messages of one feed."""

    def __init__(self) -> None:
        self.skeletons = Skeletons()
        """Of whoever was there lately."""
        self._time_us: int | None = None
        self._heard_us = 0

    def take(self, message: bytes, arrived_us: int) -> Moment:
        """Raises StrangeMessageError; the feed goes on."""
        frame = _read(message)
        time_us = round(_number(frame["time"], LATEST_S) * 1e6) if "time" in frame else arrived_us
        people = _people(frame)
        axes = _axes(frame, people)
        names: dict[str, dict[str, None]] = {}
        for id, places in people:  # of those without an id, nobody knows yet who is who
            names.setdefault(id, {}).update(dict.fromkeys(places))
        if any(len(joints) > MOST_JOINTS for joints in names.values()):
            raise StrangeMessageError(f"expected up to {MOST_JOINTS} joints, got more")
        set_back = self._time_us is not None and time_us < self._time_us - SET_BACK_US
        if set_back or arrived_us - self._heard_us > AWAY_US:
            self.skeletons.forget()
        self._time_us, self._heard_us = time_us, arrived_us
        skeletons = {id: self.skeletons.find(id, tuple(joints), axes) for id, joints in names.items()}
        bodies = [_body(skeleton, id, places) for id, places in people if (skeleton := skeletons[id])]
        return Moment(time_us, arrived_us, bodies)


def _read(message: bytes) -> dict[str, Any]:
    if len(message) > LARGEST:
        raise StrangeMessageError(f"expected up to {LARGEST} bytes, got {len(message)}")
    try:
        value = parse_json(message)
    except (ValueError, RecursionError) as error:
        raise StrangeMessageError(f"expected a JSON object: {error}") from error
    frame: dict[str, Any] = _typed(value, dict)
    return frame


def _people(frame: dict[str, Any]) -> list[Person]:
    if "people" not in frame:
        return [(_id(frame.get("person")) or ONE, _places(frame.get("joints")))]
    people = [_typed(person, dict) for person in _typed(frame["people"], list)]
    if len(people) > MOST_PEOPLE:
        raise StrangeMessageError(f"expected up to {MOST_PEOPLE} people, got {len(people)}")
    return [(_id(person.get("id")), _places(person.get("joints"))) for person in people]


def _id(value: object) -> str:
    """Empty where the sender gives none."""
    if value is not None and (not isinstance(value, str | int) or isinstance(value, bool)):
        raise StrangeMessageError(f"expected text or a whole number as an id, got {type(value).__name__}")
    return "" if value in (None, "") else person_id(str(value))


def _places(value: object) -> Places:
    joints = _typed(value, dict)
    if len(joints) > MOST_JOINTS or any(not 0 < len(name) <= LONGEST_NAME for name in joints):
        raise StrangeMessageError(f"expected up to {MOST_JOINTS} joints with names of {LONGEST_NAME} letters")
    try:
        "".join(joints).encode()
    except UnicodeEncodeError as error:
        raise StrangeMessageError(f"expected names of UTF-8: {error.reason}") from error
    return {name: None if place is None else _place(place) for name, place in joints.items()}


def _place(value: object) -> list[float]:
    numbers = [_number(number, FARTHEST) for number in _typed(value, list)]
    if not 2 <= len(numbers) <= 4 or (len(numbers) == 4 and not 0 <= numbers[3] <= 1):
        raise StrangeMessageError("expected [x, y], [x, y, z] or [x, y, z, confidence from 0 to 1]")
    return numbers


def _axes(frame: dict[str, Any], people: Collection[Person]) -> Axes | None:
    """None where nobody has a place, so that nobody knows how many numbers one has."""
    lengths = {min(len(place), 3) for _, places in people for place in places.values() if place}
    if not lengths:
        return None
    if len(lengths) > 1:
        raise StrangeMessageError("expected places in an image or in space, got both")
    flat = lengths == {2}
    units = frame.get("units", "m")
    up = frame.get("up", "-y" if flat else "y")
    left_handed = frame.get("left_handed", False)
    if units not in list(UNITS) or up not in UP_AXES or not isinstance(left_handed, bool) or (flat and "z" in up):
        raise StrangeMessageError(f"expected units of {', '.join(UNITS)}, an up axis, and left_handed true or false")
    if flat:
        return Axes("positions2d", "px", 1.0, up, False)
    return Axes("positions", units, UNITS[units], up, left_handed)


def _body(skeleton: Skeleton, id: str, places: Places) -> Body:
    width = len(skeleton.columns) // len(skeleton.joints)
    found = [places.get(joint) for joint in skeleton.joints]
    values = [place[:width] if place else [np.nan] * width for place in found]
    confidences = None
    if any(place and len(place) == 4 for place in found):
        confidences = np.array([0.0 if place is None else (*place, 1.0)[3] for place in found], np.float32)
    return Body(skeleton, np.array(values, np.float32).reshape(-1), confidences, id)


def _number(value: object, below: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < below:
        raise StrangeMessageError(f"expected a number below {below:g}, got {str(value)[:40]}")
    return float(value)


def _typed(value: object, kind: type[Any]) -> Any:
    if not isinstance(value, kind):
        raise StrangeMessageError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
