"""Messages of JSON, written by hand, to moments; and what is none."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motionscribe.sources.json_feeds.decoding import MOST_PEOPLE, Decoder, StrangeMessageError
from motionscribe.sources.json_feeds.skeletons import MOST_JOINTS as MOST_IN_A_SKELETON
from motionscribe.sources.json_feeds.skeletons import MOST_KNOWN
from motionscribe.sources.moments import MOST_JOINTS, Body, Moment
from motionscribe.sources.person_ids import person_id

NOW_US = 1_000_000_000
NAN = np.nan


def take(*messages: str | bytes, step_us: int = 30_000) -> list[Moment]:
    decoder = Decoder()
    raw = [message.encode() if isinstance(message, str) else message for message in messages]
    return [decoder.take(message, NOW_US + n * step_us) for n, message in enumerate(raw)]


def one(message: str) -> Body:
    (moment,) = take(message)
    (body,) = moment.bodies
    return body


def test_one_person_in_metres_with_y_up_at_the_time_of_arrival() -> None:
    (moment,) = take('{"joints": {"left_hip": [0.1, 1, -2e-1], "nose": null}}')
    (body,) = moment.bodies
    assert (moment.time_us, moment.arrived_us, body.person) == (NOW_US, NOW_US, "1")
    np.testing.assert_array_equal(body.values, np.array([0.1, 1, -0.2, NAN, NAN, NAN], np.float32))
    assert body.confidences is None
    skeleton = body.skeleton
    assert (skeleton.joints, skeleton.representation, skeleton.units) == (("left_hip", "nose"), "positions", "m")
    assert (skeleton.metres_per_unit, skeleton.up_axis, skeleton.left_handed) == (1.0, "y", False)


def test_all_that_may_be_said() -> None:
    (moment,) = take(
        '{"time": 12.5, "units": "mm", "up": "-z", "left_handed": true, "person": "Ännä 1", "and more": [{}],'
        ' "joints": {"a": [1, 2, 3, 0.25], "b": null, "c": [4, 5, 6]}}'
    )
    (body,) = moment.bodies
    assert (moment.time_us, body.person) == (12_500_000, person_id("Ännä 1"))
    assert (body.skeleton.metres_per_unit, body.skeleton.up_axis, body.skeleton.left_handed) == (0.001, "-z", True)
    np.testing.assert_array_equal(body.values, [1, 2, 3, NAN, NAN, NAN, 4, 5, 6])
    assert body.confidences is not None
    np.testing.assert_array_equal(body.confidences, [0.25, 0, 1])


def test_places_in_an_image() -> None:
    body = one('{"joints": {"a": [640, 360], "b": [1.5, 2.5]}}')
    assert (body.skeleton.representation, body.skeleton.up_axis) == ("positions2d", "-y")
    np.testing.assert_array_equal(body.values, [640, 360, 1.5, 2.5])


def test_several_people_with_and_without_ids() -> None:
    (moment,) = take(
        '{"time": 1, "people": [{"id": "eve", "joints": {"a": [1, 2, 3]}}, {"id": 7, "joints": {"b": [4, 5, 6]}},'
        ' {"joints": {"a": [7, 8, 9]}}, {"joints": {"c": [1, 1, 1]}}]}'
    )
    assert [body.person for body in moment.bodies] == ["eve", "7", "", ""]
    assert [body.skeleton.joints for body in moment.bodies] == [("a",), ("b",), ("a", "c"), ("a", "c")]
    people = [{"id": id, "joints": {"a": [1, 2]}} for id in ("李", "王", "a/b", "a_b")]
    (others,) = take(json.dumps({"people": people}))
    assert len({body.person for body in others.bodies}) == 4
    np.testing.assert_array_equal(moment.bodies[3].values, [NAN, NAN, NAN, 1, 1, 1])
    (nobody,) = take('{"people": []}')
    assert nobody.bodies == []


def test_a_joint_that_is_left_out_was_not_seen_and_a_new_one_makes_another_skeleton() -> None:
    moments = take(
        '{"joints": {"b": [1, 2, 3], "a": [4, 5, 6]}}',
        '{"joints": {"a": [7, 8, 9]}}',
        '{"joints": {"a": null, "b": null}}',
        '{"joints": {"c": [0, 0, 1], "a": [1, 1, 1]}}',
        '{"joints": {"b": [1, 2, 3]}}',
    )
    bodies = [body for moment in moments for body in moment.bodies]
    assert [body.skeleton.joints for body in bodies] == [("b", "a")] * 3 + [("b", "a", "c")] * 2
    assert bodies[0].skeleton is bodies[2].skeleton
    np.testing.assert_array_equal(bodies[1].values, [NAN, NAN, NAN, 7, 8, 9])
    assert np.isnan(bodies[2].values).all()


@pytest.mark.parametrize(
    "other", ['{"time": 9, "joints": {"x": [1, 2, 3], "y": [1, 2, 3]}}', '{"time": 1, "joints": {"a": [1, 2, 3]}}']
)
def test_a_sender_that_begins_anew_may_have_another_skeleton(other: str) -> None:
    """Known by joints that are mostly others, or a time that goes back."""
    first, second = take('{"time": 9, "joints": {"a": [1, 2, 3], "b": [1, 2, 3]}}', other)
    assert first.bodies[0].skeleton.joints == ("a", "b")
    assert second.bodies[0].skeleton.joints == tuple(json.loads(other)["joints"])


def test_who_was_away_may_have_another_skeleton() -> None:
    moments = take('{"joints": {"a": [1, 2, 3], "b": [1, 2, 3]}}', '{"joints": {"a": [1, 2, 3]}}', step_us=3_000_000)
    assert moments[1].bodies[0].skeleton.joints == ("a",)


def test_other_units_are_another_skeleton() -> None:
    one, other = take('{"joints": {"a": [1, 2, 3]}}', '{"units": "cm", "joints": {"a": [1, 2, 3]}}')
    assert one.bodies[0].skeleton.metres_per_unit == 1
    assert other.bodies[0].skeleton.metres_per_unit == 0.01


def test_of_whom_no_joint_was_ever_seen_nothing_is_known() -> None:
    silent, some, none = take('{"joints": {"a": null}}', '{"joints": {"a": [1, 2]}}', '{"joints": {}}')
    assert silent.bodies == []
    assert some.bodies[0].skeleton.representation == "positions2d"
    assert np.isnan(none.bodies[0].values).all()


STRANGE = [
    *("", "{", "[]", "7", "null", '"joints"', "{}", '{"joints": []}', '{"joints": null}', '{"people": {}}'),
    *(
        '{"people": [[]]}',
        '{"people": [{}]}',
        '{"joints": {"a": 1}}',
        '{"joints": {"a": []}}',
        '{"joints": {"a": [1]}}',
    ),
    *('{"joints": {"a": [1, 2, 3, 4]}}', '{"joints": {"a": [1, 2, 3, 0.5, 1]}}', '{"joints": {"a": ["1", 2, 3]}}'),
    *('{"joints": {"a": [true, 2, 3]}}', '{"joints": {"a": [NaN, 2, 3]}}', '{"joints": {"a": [1, -Infinity, 3]}}'),
    *('{"joints": {"a": [1e400, 2, 3]}}', '{"joints": {"a": [1e30, 2, 3]}}', '{"joints": {"": [1, 2, 3]}}'),
    *('{"joints": {"a": [1, 2, 3], "b": [1, 2]}}', '{"joints": {"a": [1, 2, 3], "a": [1, 2, 3]}}'),
    *('{"units": "ft", "joints": {"a": [1, 2, 3]}}', '{"units": [], "joints": {"a": [1, 2, 3]}}'),
    *('{"up": "w", "joints": {"a": [1, 2, 3]}}', '{"up": {}, "joints": {"a": [1, 2, 3]}}'),
    *('{"left_handed": 1, "joints": {"a": [1, 2, 3]}}', '{"up": "z", "joints": {"a": [1, 2]}}'),
    *('{"time": "now", "joints": {}}', '{"time": null, "joints": {}}', '{"time": 1e300, "joints": {}}'),
    *('{"person": {}, "joints": {}}', '{"person": true, "joints": {}}', '{"people": [{"id": 1.5, "joints": {}}]}'),
    '{"joints": {"a": [1' + "0" * 5000 + ", 2, 3]}}",
    '{"joints": {"' + "a" * 200 + '": [1, 2, 3]}}',
    "[" * 50_000,
    '{"joints": {"a": ' + "[" * 100 + "]" * 100 + "}}",
    json.dumps({"joints": {str(n): [1, 2, 3] for n in range(MOST_JOINTS + 1)}}),
    json.dumps({"people": [{"joints": {}}] * (MOST_PEOPLE + 1)}),
    json.dumps({"people": [{"joints": {f"{n} {i}": [1, 2, 3] for i in range(100)}} for n in range(MOST_PEOPLE)]}),
    '{"joints": {}, "more": "' + "x" * (1 << 20) + '"}',
]


@pytest.mark.parametrize("message", STRANGE, ids=lambda message: message[:30])
def test_what_is_no_frame_is_strange_and_changes_nothing(message: str) -> None:
    decoder = Decoder()
    (before,) = decoder.take(b'{"time": 1, "joints": {"k": [1, 2, 3]}}', NOW_US).bodies
    with pytest.raises(StrangeMessageError):
        decoder.take(message.encode(), NOW_US)
    (after,) = decoder.take(b'{"time": 1, "joints": {"k": [1, 2, 3]}}', NOW_US).bodies
    assert after.skeleton is before.skeleton


def test_what_is_kept_is_bounded() -> None:
    decoder = Decoder()
    for n in range(6):
        parts = [(m, i) for m in (n, n + 1) for i in range(MOST_JOINTS // 2)]
        joints = {f"{m} {i}": [1, 2, 3] for m, i in parts}
        (body,) = decoder.take(json.dumps({"joints": joints}).encode(), NOW_US).bodies
        assert len(body.skeleton.joints) <= MOST_IN_A_SKELETON
    for n in range(MOST_KNOWN + 50):
        decoder.take(json.dumps({"person": n, "joints": {"a": [1, 2, 3]}}).encode(), NOW_US)
    assert len(decoder.skeletons) == MOST_KNOWN


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.none() | st.lists(st.floats(-10, 10) | st.integers(-3, 3), min_size=1, max_size=5) | VALUES
JOINTS = st.dictionaries(st.sampled_from(["a", "b", "c", ""]), PLACES, max_size=4) | VALUES
FIELDS = {"time": VALUES, "units": VALUES, "up": VALUES, "person": VALUES, "left_handed": VALUES}
PEOPLE = st.lists(st.fixed_dictionaries({"joints": JOINTS}, optional={"id": VALUES}), max_size=3)
FRAMES = st.fixed_dictionaries({"joints": JOINTS}, optional=FIELDS) | st.fixed_dictionaries({"people": PEOPLE})


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=40) | FRAMES.map(lambda frame: json.dumps(frame).encode()), max_size=8))
def test_whatever_comes_is_a_moment_or_strange(messages: list[bytes]) -> None:
    decoder = Decoder()
    for message in messages:
        try:
            moment = decoder.take(message, NOW_US)
        except StrangeMessageError:
            continue
        for body in moment.bodies:
            check(body)


def check(body: Body) -> None:
    wanted: dict[str, Any] = {"dtype": np.float32, "shape": (body.skeleton.width,)}
    assert {"dtype": body.values.dtype, "shape": body.values.shape} == wanted
    assert not np.isinf(body.values).any()


def test_a_name_that_is_no_utf_8_is_strange() -> None:
    with pytest.raises(StrangeMessageError, match="UTF-8"):
        take(r'{"joints": {"\ud800": [1, 2, 3]}}')


def test_keys_that_come_twice_are_told_in_no_time() -> None:
    message = "{" + ",".join(f'"{n}":0' for n in range(40_000)) + ',"1":0,"2":0}'
    with pytest.raises(StrangeMessageError, match=r"each key once, got \['1', '2'\] again"):
        take(message)
