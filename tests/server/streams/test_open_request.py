"""What an Open asks for: each field is checked, and what is left out has its default."""

from typing import Any

import pytest

from motionscribe_models.lags import LAGS
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.errors import RequestError
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.streams.open_request import LAG_BY_NUMBER, read_open


def test_every_lag_on_the_wire_has_its_name() -> None:
    assert LAG_BY_NUMBER == {0: "balanced", pb.LAG_FAST: "fast", pb.LAG_BALANCED: "balanced", pb.LAG_STABLE: "stable"}
    assert LAG_BY_NUMBER.keys() == set(pb.Lag.values())
    assert set(LAG_BY_NUMBER.values()) == set(LAGS)


def test_what_is_left_out_has_its_default() -> None:
    request = read_open(pb.Open(stream_id="walk"), "lab")
    assert (request.key, request.id, request.durable) == ("lab/walk", "walk", False)
    assert request.options == SessionOptions(provisional=False)


def test_false_alarms_that_are_not_said_are_the_default() -> None:
    said = pb.FalseAlarms(sensor=0.1, behaviour=6)
    request = read_open(pb.Open(stream_id="walk", false_alarms_per_hour=said, anomaly_scores=True), "lab")
    assert request.options == SessionOptions(
        provisional=False, sensor_false_alarms=0.1, behaviour_false_alarms=6.0, anomaly_scores=True
    )
    assert request.options.motion_false_alarms == 0.5


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"stream_id": ""}, "expected a stream id"),
        ({"stream_id": "a/b"}, "expected a stream id"),
        ({"rate_hz": -1.0}, "expected a rate of 0 or more Hz, got -1.0"),
        ({"rate_hz": float("nan")}, "expected a rate of 0 or more Hz, got nan"),
        (
            {"lag": 9},
            r"expected a lag of 0 \(balanced\), 1 \(fast\), 2 \(balanced\), 3 \(stable\), got 9; DescribeModel",
        ),
        ({"delivery": 9}, "expected live or durable delivery, got 9"),
        (
            {"false_alarms_per_hour": {"motion": -1.0}},
            "expected 0 or more false alarms an hour of kind motion, got -1.0",
        ),
        ({"false_alarms_per_hour": {"sensor": float("nan")}}, "false alarms an hour of kind sensor, got nan"),
        ({"false_alarms_per_hour": {"behaviour": float("inf")}}, "false alarms an hour of kind behaviour, got inf"),
    ],
)
def test_a_field_out_of_its_range_is_named(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        read_open(pb.Open(**{"stream_id": "walk", **fields}), "lab")
