"""Events become plain dictionaries and come back; what is no event is refused with what was expected."""

import json
from typing import get_args

import pytest
from hypothesis import given
from tests.proto.test_codec import EVENTS

from motionscribe_proto import codec
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import KINDS, Anomaly, ClusterCreated, Event, Label, from_dict, to_dict

ANOMALY = Anomaly(1, True, 2, 3, 4, 5, "motion fault", "tremor", "begun", 0.25, ("hand",), (6.5,), 7)


@given(EVENTS)
def test_events_survive_a_dictionary_and_json(event: Event) -> None:
    assert from_dict(to_dict(event)) == event
    assert from_dict(json.loads(json.dumps(to_dict(event)))) == event


def test_a_dictionary_is_plain_and_in_order() -> None:
    assert json.dumps(to_dict(ANOMALY)) == (
        '{"event": "Anomaly", "anomaly": 1, "ongoing": true, "start_seq": 2, "end_seq": 3, "start_us": 4, "end_us": 5, '
        '"kind": "motion fault", "detector": "tremor", "phase": "begun", "false_alarms_per_hour": 0.25, '
        '"joints": ["hand"], "deviations": [6.5], "cluster": 7}'
    )


def test_whole_numbers_are_floats_where_floats_are_expected() -> None:
    label = from_dict(to_dict(Label(1, 2, 3, 4, 5, 1.0, True)) | {"stability": 1})
    assert isinstance(label, Label)
    assert type(label.stability) is float


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"event": "Dance"}, "an event among Anomaly, AnomalyScores, .*SegmentStarted, got 'Dance'"),
        ({"event": None}, "an event among .* got None"),
        ({"stream": "s"}, "ClusterCreated with cluster, time_us, got cluster, time_us, stream"),
        ({"cluster": 1.5}, "cluster of type int, got 1.5"),
        ({"cluster": True}, "cluster of type int, got True"),
        ({"cluster": [1]}, r"cluster of type int, got \[1\]"),
    ],
)
def test_what_is_no_event_is_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        from_dict(to_dict(ClusterCreated(1, 2)) | change)


def test_a_whole_number_may_stand_for_a_float_that_can_hold_it() -> None:
    label = to_dict(Label(1, 2, 0, 1, 3, 1.0, True))
    assert from_dict(label | {"stability": 1}) == from_dict(label)
    with pytest.raises(ValueError, match="stability of type float, got 1000"):
        from_dict(label | {"stability": 10**400})


def test_a_tuple_of_the_wrong_type_is_refused() -> None:
    anomaly = to_dict(ANOMALY)
    with pytest.raises(ValueError, match="joints of type str, got 1"):
        from_dict(anomaly | {"joints": [1]})
    with pytest.raises(ValueError, match=r"joints of type .*, got 'hand'"):
        from_dict(anomaly | {"joints": "hand"})


def test_every_event_has_a_name_and_a_place_on_the_wire() -> None:
    assert set(KINDS.values()) == set(get_args(Event))
    assert {"labels", *codec.EVENTS} == {field.name for field in pb.Event.DESCRIPTOR.oneofs_by_name["event"].fields}
    for field, kind in codec.EVENTS.items():
        message = pb.Event.DESCRIPTOR.fields_by_name[field].message_type
        assert message
        assert set(kind.__dataclass_fields__) == set(message.fields_by_name), kind
