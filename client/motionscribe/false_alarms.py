"""The false alarms an hour that a caller expects of a stream: a number for all kinds of anomaly, or one for some kinds.

Out: the field of Open, in which the server chooses what is not said. Bad numbers and kinds raise BadRequest.
"""

import sys
from collections.abc import Mapping
from numbers import Real

from motionscribe.errors import BadRequest
from motionscribe_proto import segmentation_pb2 as pb

FalseAlarms = float | Mapping[str, float]
KINDS = tuple(field.name for field in pb.FalseAlarms.DESCRIPTOR.fields)
"""Keys of a mapping: sensor, motion, behaviour."""


def false_alarms_to_message(per_hour: FalseAlarms | None) -> pb.FalseAlarms | None:
    """`per_hour` as a message, None where nothing is said. Raises BadRequest."""
    if per_hour is None:
        return None
    by_kind = per_hour if isinstance(per_hour, Mapping) else dict.fromkeys(KINDS, per_hour)
    for kind, number in by_kind.items():
        if kind not in KINDS:
            raise BadRequest(f"expected false alarms an hour of {', '.join(KINDS)}, got some of {kind!r}")
        # as a float, which no whole number of 400 digits is
        if isinstance(number, bool) or not isinstance(number, Real) or not 0 < number <= sys.float_info.max:
            raise BadRequest(f"expected more than 0 false alarms an hour of kind {kind}, got {number!r}")
    return pb.FalseAlarms(**by_kind)


def parse_false_alarms(text: str) -> FalseAlarms:
    """`0.5`, or `sensor=0.5,motion=6`. Raises BadRequest."""
    parts = [part.partition("=") for part in text.split(",")]
    try:
        per_hour = {kind: float(number) for kind, _, number in parts} if "=" in text else float(text)
    except ValueError:
        raise BadRequest(f"expected false alarms an hour such as 0.5 or sensor=0.5,motion=6, got {text!r}") from None
    if isinstance(per_hour, dict) and len(per_hour) < len(parts):
        raise BadRequest(f"expected each kind of false alarms an hour once, got {text!r}")
    false_alarms_to_message(per_hour)
    return per_hour
