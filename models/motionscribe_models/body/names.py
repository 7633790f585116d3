"""Which joints of a source are those of the canonical body, by their names.

In: names of joints as devices and files have them: `LShoulder`, `mixamorig:LeftArm`, `SHOULDER_LEFT`, `UpperArm_L`.
Out: for each canonical joint the sums of joints that may stand for it, the best first. Left and right are the
performer's own. Names are read as a side and a part; what the six parts of a limb are called tells the conventions.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

Sum = tuple[tuple[str, float], ...]
"""Parts (with `*` for the side) and weights, which add up to 1."""


def at(part: str) -> Sum:
    """One joint."""
    return ((part, 1.0),)


def between(*parts: str) -> Sum:
    """The middle of some."""
    return tuple((part, 1 / len(parts)) for part in parts)


HEAD_ENDS = ("headtopend", "headend", "headsite", "headnub", "topofhead", "headtop")
ENDED_HEADS = tuple(between("head", end) for end in HEAD_ENDS)
TURNING_HEAD = (*ENDED_HEADS, (("head", 2.0), ("neck", -1.0)), at("head"))
"""A joint named head that is where the head turns: the head is as far beyond it as it is from the neck."""


@dataclass(frozen=True)
class Convention:
    """What the parts of a body are called."""

    name: str
    """For people."""
    head: tuple[Sum, ...]
    shoulder: tuple[Sum, ...]
    elbow: tuple[Sum, ...]
    wrist: tuple[Sum, ...]
    hip: tuple[Sum, ...]
    knee: tuple[Sum, ...]
    ankle: tuple[Sum, ...]


def _limbs(*parts: str) -> tuple[tuple[Sum, ...], ...]:
    """Shoulder to ankle of both sides; `a|b` are alternatives."""
    return tuple(tuple(at(f"*{word}") for word in part.split("|")) for part in parts)


CONVENTIONS = (
    Convention(
        "joints (COCO, MediaPipe, OpenPose, Kinect, SMPL)",
        (between("leftear", "rightear"), *ENDED_HEADS, between("neckornose", "head"), at("head"), at("nose")),
        *_limbs("shoulder", "elbow", "wrist|hand", "hip|hipcenter", "knee", "ankle|foot"),
    ),
    Convention(
        "bones, upper arm to foot (Mixamo, cgspeed, Qualisys)",
        TURNING_HEAD,
        *_limbs("arm", "forearm", "hand", "upleg", "leg", "foot"),
    ),
    Convention(
        "bones, upper and lower (Xsens, VMC, Unity, Bandai-Namco)",
        TURNING_HEAD,
        *_limbs("upperarm", "forearm|lowerarm", "hand", "upperleg", "lowerleg", "foot"),
    ),
    Convention(
        "bones, thigh and shin (OptiTrack, Blender, 3ds Max)",
        TURNING_HEAD,
        *_limbs("uarm|upperarm", "farm|forearm|lowerarm", "hand", "thigh", "shin|calf", "foot"),
    ),
    Convention(
        "far ends of bones (CMU Acclaim)",
        (between("upperneck", "head"),),
        *_limbs("clavicle", "humerus", "radius", "hipjoint", "femur", "tibia"),
    ),
    Convention(
        "markers (Plug-in Gait and its like)",
        (between("leftfhd", "rightfhd", "leftbhd", "rightbhd"), between("leftfhd", "rightfhd"), at("head")),
        shoulder=(at("*sho"),),
        elbow=(at("*elb"),),
        wrist=(between("*wra", "*wrb"), at("*wri"), at("*wra")),
        # the joint lies below the pelvis' markers, on the way to the knee
        hip=((("*asi", 0.425), ("*psi", 0.425), ("*kne", 0.15)), (("*asi", 0.85), ("*kne", 0.15))),
        knee=(at("*kne"),),
        ankle=(at("*ank"),),
    ),
    Convention(
        "markers of anatomical points (CAST and IOR, as Qualisys has them)",
        (between("lefthdf", "righthdf", "lefthdb", "righthdb"), between("lefthdf", "righthdf")),
        shoulder=(at("*saj"), at("*sae")),
        elbow=(between("*hle", "*hme"), at("*hle")),
        wrist=(between("*rsp", "*uhe"), between("*rsp", "*usp")),
        hip=((("*ias", 0.425), ("*ips", 0.425), ("*fle", 0.075), ("*fme", 0.075)),),
        knee=(between("*fle", "*fme"), at("*fle")),
        ankle=(between("*fal", "*tam"), at("*fal")),
    ),
)
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")

MOST_ACTORS = 64
"""Of a feed, in the order of its joints: each is looked at, while nothing else happens."""
BEFORE = {"b", "bip", "bn", "bone", "character", "def", "j", "joint", "jnt"}
AFTER = {"bone", "joint", "jnt"}
"""Words that programs put around the names of joints."""
_SIDE = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|\d+")


def spellings(name: str) -> Iterator[str]:
    """How a name may be read, `left` or `right` first where it has a side, in lower case without separators."""
    bare = re.split(r"[:|]", name)[-1].replace("/", " or ")
    words = [word.lower() for word in _WORD.findall(bare)]
    while len(words) > 1 and (words[0] in BEFORE or words[0].isdecimal()):
        words = words[1:]
    while len(words) > 1 and words[-1] in AFTER:
        words = words[:-1]
    for place in (0, len(words) - 1):
        if words and words[place] in _SIDE:
            yield _SIDE[words[place]] + "".join(words[:place] + words[place + 1 :])
    whole = "".join(words)
    yield whole
    for sided in _SIDE:
        if whole.startswith(sided):
            yield _SIDE[sided] + whole[len(sided) :]


def read_names(joints: Sequence[str]) -> dict[str, str]:
    """Spelling -> joint; of joints that are spelt alike the first, a plain name before a cut one."""
    found: dict[str, str] = {}
    read = [list(spellings(joint)) for joint in joints]
    for turn in range(max(map(len, read), default=0)):
        for joint, ways in zip(joints, read, strict=True):
            if turn < len(ways):
                found.setdefault(ways[turn], joint)
    return found


def find_joints(joints: Sequence[str]) -> tuple[str, Mapping[str, tuple[Sum, ...]]]:
    """The convention that names most of a body, and canonical joint -> sums of `joints` by their own names."""
    best: tuple[str, dict[str, tuple[Sum, ...]]] = ("", {})
    # joints of several actors stand side by side, apart by what is before the colon
    actors: dict[str, list[str]] = {}
    for joint in joints:
        actors.setdefault(joint.rpartition(":")[0], []).append(joint)
    for names, convention in product(map(read_names, [*actors.values()][:MOST_ACTORS]), CONVENTIONS):
        wanted = {"head": [convention.head]} | {
            f"{side}_{limb}": [_sided(getattr(convention, limb), side)] for limb in LIMBS for side in ("left", "right")
        }
        found = {
            joint: sums
            for joint, (own,) in wanted.items()
            if (sums := tuple(_named(terms, names) for terms in own if all(part in names for part, _ in terms)))
        }
        if len(found) > len(best[1]):
            best = convention.name, found
    return best


def _sided(sums: tuple[Sum, ...], side: str) -> tuple[Sum, ...]:
    return tuple(tuple((part.replace("*", side), weight) for part, weight in terms) for terms in sums)


def _named(terms: Sum, names: Mapping[str, str]) -> Sum:
    return tuple((names[part], weight) for part, weight in terms)
