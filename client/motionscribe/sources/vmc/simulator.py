"""Sends a recording by the Virtual Motion Capture protocol, as a program that moves an avatar does.

A bundle a frame, with OK and the recording's time. Rotations are identities, so that places add up along the bones to
those of the recording. A joint that was not seen is left out, and a receiver cannot know those that hang on it.
"""

from collections.abc import Sequence
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.datagram_sender import DatagramSender
from motionscribe.sources.sending import Actor
from motionscribe.sources.vmc.bones import HERE, PARENTS, skeleton_of
from motionscribe.sources.vmc.feed import PORT
from motionscribe.sources.vmc.osc import load_osc_types
from motionscribe.sources.vmc.packets import BONE, ROOT, TIME
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording

_PARTS = {"shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand", "hip": "UpperLeg", "knee": "LowerLeg"}
_PARTS |= {"ankle": "Foot"}


def _bone(joint: str) -> str:
    """What Unity calls a joint of BODY."""
    side, _, part = joint.rpartition("_")
    return side.title() + _PARTS[part] if side else {"pelvis": "Hips"}.get(joint, joint.title())


BONES = tuple(_bone(joint) for joint in BODY.joints)
NECK, HEAD = BODY.joints.index("neck"), BODY.joints.index("head")


def _bones(body: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 15, 3) of BONES. Unity's Head is where the head turns, half-way from the neck to the head of BODY."""
    places = body.copy()
    places[:, HEAD] = (body[:, NECK] + body[:, HEAD]) / 2
    return places


class _Avatar:
    """The bones of an actor."""

    def __init__(self, actor: Actor) -> None:
        own = all(joint in PARENTS for joint in actor.joints)
        names, self._places = (actor.joints, actor.places) if own else (BONES, _bones(actor.body))
        seen = set(np.flatnonzero(np.isfinite(self._places).all(axis=2).any(axis=0)).tolist())
        self.skeleton = skeleton_of([name for row, name in enumerate(names) if row in seen])
        self._order = [names.index(joint) for joint in self.skeleton.joints]

    @cached_property
    def local(self) -> NDArray[np.float64]:
        """(n, J, 3) of each joint from its parent, in Unity's axes."""
        places = self._places[:, self._order].astype(np.float64) * (1, 1, -1)
        parents = np.array(self.skeleton.parents)
        return places - np.where((parents < 0)[:, None], 0.0, places[:, parents])


class VmcSender:
    """The address `vmc:[HOST:]PORT`, as sources/sending.py wants it: 127.0.0.1 where no host is named.

    Raises MissingExtraError, RecordingError for several people or no body in space, LayoutError for a body that cannot
    be mapped, NotFound for what is no port.
    """

    def __init__(self, recordings: Sequence[Recording], address: str) -> None:
        if len(recordings) != 1:
            raise RecordingError(f"expected one recording for VMC, a feed of one person, got {len(recordings)}")
        load_osc_types()
        from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
        from pythonosc.osc_message_builder import build_msg

        self._message, self._bundle = build_msg, partial(OscBundleBuilder, IMMEDIATELY)
        self._avatar = _Avatar(Actor(recordings[0]))
        self._datagrams = DatagramSender(address, PORT)

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        """One bundle, without bones while the person is away."""
        bundle = self._bundle()
        bundle.add_content(self._message("/VMC/Ext/OK", [1]))
        bundle.add_content(self._message(TIME, [time_us / 1e6]))
        bundle.add_content(self._message(ROOT, ["root", *HERE]))
        (row,) = rows
        if row is not None:
            for joint, place in zip(self._avatar.skeleton.joints, self._avatar.local[row].tolist(), strict=True):
                if np.isfinite(place).all():
                    bundle.add_content(self._message(BONE, [joint, *place, *HERE[3:]]))
        self._datagrams.send(bundle.build().dgram)

    def close(self) -> None:
        """Nothing is left to be sent."""
        self._datagrams.close()
