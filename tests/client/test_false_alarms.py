"""False alarms an hour: what a caller may say, and what is refused with what was expected."""

import math

import pytest

from motionscribe.errors import BadRequest
from motionscribe.false_alarms import false_alarms_to_message, parse_false_alarms
from motionscribe_proto import segmentation_pb2 as pb


def test_a_number_is_for_all_kinds_and_a_mapping_for_those_that_it_has() -> None:
    assert false_alarms_to_message(None) is None
    assert false_alarms_to_message(2) == pb.FalseAlarms(sensor=2, motion=2, behaviour=2)
    assert false_alarms_to_message({"motion": 0.1}) == pb.FalseAlarms(motion=0.1)


@pytest.mark.parametrize(
    ("per_hour", "said"),
    [
        (0, "expected more than 0 false alarms an hour of kind sensor, got 0"),
        (math.nan, "got nan"),
        ("6", "got '6'"),
        (10**400, "got 1000"),
        (True, "got True"),
        ({"motion": math.inf}, "expected more than 0 false alarms an hour of kind motion, got inf"),
        ({"motion": 1, "speed": 1}, "expected false alarms an hour of sensor, motion, behaviour, got some of 'speed'"),
    ],
)
def test_what_is_no_number_of_false_alarms_is_refused(per_hour: object, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        false_alarms_to_message(per_hour)  # type: ignore[arg-type] # what untyped callers may give


def test_the_text_of_the_command_line() -> None:
    assert parse_false_alarms("0.5") == 0.5
    assert parse_false_alarms("sensor=0.5,motion=6") == {"sensor": 0.5, "motion": 6}
    for text in ("", "x", "sensor=", "sensor=0.5,motion", "motion=1=2", "0.5,0.6"):
        with pytest.raises(BadRequest, match=r"sensor=0\.5,motion=6, got '"):
            parse_false_alarms(text)
    with pytest.raises(BadRequest, match="each kind of false alarms an hour once, got 'motion=1,motion=2'"):
        parse_false_alarms("motion=1,motion=2")
    with pytest.raises(BadRequest, match="of kind motion, got -1"):
        parse_false_alarms("motion=-1")
