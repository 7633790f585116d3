"""Who Motive's skeletons and marker sets are, and where their joints are in the room."""

import numpy as np
import pytest
from tests.client.sources.natnet import natnet_bytes as made

from motionscribe.sources.moments import MOST_JOINTS
from motionscribe.sources.natnet.packets import Definitions, Frame, read_definitions, read_frame, unpack
from motionscribe.sources.natnet.people import People
from motionscribe.sources.person_ids import person_id
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.body.names import LIMBS

VERSION = (4, 1)
MOTIVE = ["Hip", "Ab", "Chest", "Neck", "Head"]
MOTIVE += [
    f"{side}{part}" for side in "LR" for part in ("Shoulder", "UArm", "FArm", "Hand", "Thigh", "Shin", "Foot", "Toe")
]
FBX = ["Hips", "Spine", "Spine1", "Neck", "Head"]
FBX += [
    f"{side}{part}"
    for side in ("Left", "Right")
    for part in ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")
]
UNREAL = ["pelvis", "spine_01", "spine_02", "neck_01", "head"]
UNREAL += [
    f"{part}_{side}"
    for side in "lr"
    for part in ("clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball")
]
HALF = float(np.sqrt(0.5))
ARM: list[made.Bone] = [
    ("Hip", 0, (0.0, 0.0, 0.0)),
    ("Chest", 1, (0.0, 0.5, 0.0)),
    ("LUArm", 2, (0.2, 0.0, 0.0)),
    ("LFArm", 3, (0.3, 0.0, 0.0)),
]
"""A chain whose places can be computed in the head."""


def defined(*parts: bytes) -> Definitions:
    return read_definitions(unpack(made.definitions(*parts))[1], VERSION)


def framed(skeletons: dict[int, list[bytes]] | None = None, sets: dict[str, list[made.Place]] | None = None) -> Frame:
    return read_frame(unpack(made.frame(VERSION, 1.0, skeletons, sets))[1], VERSION)


@pytest.mark.parametrize(
    ("names", "limbs"),
    [
        (MOTIVE, ["LUArm", "LFArm", "LHand", "LThigh", "LShin", "LFoot"]),
        (FBX, ["LeftArm", "LeftForeArm", "LeftHand", "LeftUpLeg", "LeftLeg", "LeftFoot"]),
        (UNREAL, ["upperarm_l", "lowerarm_l", "hand_l", "thigh_l", "calf_l", "foot_l"]),
    ],
)
@pytest.mark.parametrize("prefix", ["", "Ann_", "Ann:"])
def test_bones_map_to_the_body_however_motive_calls_them(names: list[str], limbs: list[str], prefix: str) -> None:
    bones = [(prefix + name, 0, (0.0, 0.0, 0.0)) for name in names]
    people = People(defined(made.skeleton(VERSION, "Ann", 1, bones)), "y")
    (body,) = people.bodies(framed({1: [made.tracked((0.0, 1.0, 0.0))] * len(bones)}))
    mapping = find_mapping(body.skeleton)
    assert not mapping.missing
    assert body.skeleton.joints == tuple(names)
    described = dict(line.split(": ") for line in mapping.describe())
    assert [described[f"left_{limb}"] for limb in LIMBS] == limbs


def test_the_first_bone_turned_carries_the_others() -> None:
    """The chest is turned by 90 degrees about z, so that the arm, which lay to the left, points up."""
    people = People(defined(made.skeleton(VERSION, "Ann", 1, ARM)), "y")
    turned = (0.0, 0.0, HALF, HALF)
    relative = [
        made.tracked((1.0, 1.0, 2.0)),
        made.tracked((0.0, 0.5, 0.0), turned),
        made.tracked((0.2, 0.0, 0.0)),
        made.tracked((0.3, 0.0, 0.0)),
    ]
    places = [(1.0, 1.0, 2.0), (1.0, 1.5, 2.0), (1.0, 1.7, 2.0), (1.0, 2.0, 2.0)]
    in_the_room = [made.tracked(place) for place in places]
    for bones in (relative, in_the_room):
        (body,) = people.bodies(framed({1: bones}))
        np.testing.assert_allclose(body.values.reshape(-1, 3), places, atol=1e-6)


@pytest.mark.parametrize("place", [(0.0, 0.9, 0.0), (0.0, 0.0, 0.0), (-3.0, 0.9, 4.0)])
def test_the_pose_of_rest_in_the_room_is_not_taken_for_relative(place: tuple[float, float, float]) -> None:
    people = People(defined(made.skeleton(VERSION, "Ann", 1, ARM)), "y")
    offsets = np.array([offset for _, _, offset in ARM])
    rest = np.array(place) + np.cumsum(offsets, axis=0)
    bones = [made.tracked((float(x), float(y), float(z))) for x, y, z in rest]
    (body,) = people.bodies(framed({1: bones}))
    np.testing.assert_allclose(body.values.reshape(-1, 3), rest, atol=1e-6)


def test_a_bone_that_is_not_tracked_is_not_seen_but_carries() -> None:
    people = People(defined(made.skeleton(VERSION, "Ann", 1, ARM)), "y")
    bones = [made.tracked((0.0, 1.0, 0.0)), made.tracked((0.0, 0.5, 0.0))]
    bones += [made.tracked((0.2, 0.0, 0.0), flags=0), made.tracked((0.3, 0.0, 0.0))]
    (body,) = people.bodies(framed({1: bones}))
    places = body.values.reshape(-1, 3)
    assert np.isnan(places).any(axis=1).tolist() == [False, False, True, False]
    np.testing.assert_allclose(places[3], [0.5, 1.5, 0.0], atol=1e-6)


def test_numbers_that_no_place_can_be_are_not_seen() -> None:
    people = People(defined(made.skeleton(VERSION, "Ann", 1, ARM)), "y")
    bones = [made.tracked((float("inf"), 1.0, 0.0), (0.0, 0.0, 0.0, 0.0)), made.tracked((float("nan"), 3e38, 3e38))]
    bones += [made.tracked((3e38, 3e38, 3e38), (3e38, 3e38, 3e38, 3e38))] * 2
    (body,) = people.bodies(framed({1: bones}))
    assert np.isnan(body.values.reshape(-1, 3)).all(axis=1).tolist() == [True, True, False, False]
    relative = [made.tracked((3e38, 0.0, 0.0))] + [made.tracked((x, y, z)) for _, _, (x, y, z) in ARM[1:]]
    relative[3] = made.tracked((3e38, 0.0, 0.0))
    (body,) = people.bodies(framed({1: relative}))
    assert np.isnan(body.values.reshape(-1, 3)).all(axis=1).tolist() == [False, False, False, True]


def test_two_people_have_ids_of_their_own() -> None:
    people = People(
        defined(*(made.skeleton(VERSION, name, n, ARM) for n, name in enumerate(["Ann Bö", "Ann-B", "日本"], 1))), "z"
    )
    bodies = list(people.bodies(framed({n: [made.tracked((0.0, 0.0, float(n)))] * 4 for n in (1, 2, 3)})))
    assert [body.person for body in bodies] == [person_id("Ann Bö"), "Ann-B", person_id("日本")]
    assert {body.skeleton.up_axis for body in bodies} == {"z"}


def test_marker_sets_with_names_of_a_body_are_people_where_nobody_has_a_skeleton() -> None:
    markers = [f"{side}{part}" for side in "LR" for part in ("SHO", "ELB", "WRA", "WRB", "ASI", "PSI", "KNE", "ANK")]
    sets = [made.marker_set(VERSION, "Ann", markers), made.marker_set(VERSION, "wand", ["a", "b", "c"])]
    sets.append(made.marker_set(VERSION, "all", markers))
    places = [(0.1 * n, 1.0, 0.0) for n in range(len(markers))]
    places[3] = (0.0, 0.0, 0.0)
    frame = framed({}, {"Ann": places, "wand": [(1.0, 2.0, 3.0)] * 3, "all": places})
    people = People(defined(*sets), "y")
    assert people.knows(frame)
    (body,) = people.bodies(frame)
    assert body.person == "Ann"
    assert np.flatnonzero(np.isnan(body.values.reshape(-1, 3)).any(axis=1)).tolist() == [3]
    assert not find_mapping(body.skeleton).missing or "head" in find_mapping(body.skeleton).missing
    with_skeleton = People(defined(*sets, made.skeleton(VERSION, "Bob", 1, ARM)), "y")
    assert list(with_skeleton.bodies(frame)) == []


def test_who_is_not_defined_is_asked_for() -> None:
    people = People(defined(made.skeleton(VERSION, "Ann", 1, ARM)), "y")
    bone = made.tracked((0.0, 0.0, 0.0))
    assert people.knows(framed({1: [bone] * 4}))
    assert people.knows(framed({}))
    for skeletons in ({2: [bone] * 4}, {1: [bone] * 3}):
        assert not people.knows(framed(skeletons))
        assert not list(people.bodies(framed(skeletons)))
    assert not people.knows(framed({}, {"new": []}))
    assert not people.knows(read_frame(unpack(made.frame(VERSION, 1.0, flags=2))[1], VERSION))


def test_who_has_too_many_bones_is_nobody_and_a_signalling_nan_is_not_seen() -> None:
    chain: list[made.Bone] = [(f"b{n}", n, (0.0, 0.1, 0.0)) for n in range(MOST_JOINTS + 1)]
    people = People(defined(made.skeleton(VERSION, "Ann", 1, chain)), "y")
    bone = made.tracked((0.0, 0.0, 0.0))
    assert (people.strange, list(people.bodies(framed({1: [bone] * len(chain)})))) == (1, [])
    signalling = bone[:4] + bytes.fromhex("010080ff") * 3 + bone[16:]
    (body,) = People(defined(made.skeleton(VERSION, "Bob", 1, chain[:2])), "y").bodies(framed({1: [signalling] * 2}))
    assert np.isnan(body.values).all()
