"""Sends recordings as Xsens MVN's network streamer would: `mvn:[HOST:]PORT`, to this machine where no host is named."""

import socket
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.datagrams import port_of
from motionscribe.sources.mvn.datagram import SEGMENTS, encode
from motionscribe.sources.mvn.reader import PORT
from motionscribe.sources.sending import Actor
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording
from motionscribe_models.skeleton import UPRIGHT

MOST = 256
_LIMBS = {"UpperArm": "shoulder", "ForeArm": "elbow", "Hand": "wrist"}
_LIMBS |= {"UpperLeg": "hip", "LowerLeg": "knee", "Foot": "ankle"}
JOINTS = {"Pelvis": "pelvis", "Neck": "neck"} | {
    f"{side}{part}": f"{side.lower()}_{joint}" for side in ("Left", "Right") for part, joint in _LIMBS.items()
}
"""Segment -> joint of the canonical body where it begins. Those of the spine, clavicles and toes have none."""


class MvnSender:
    """As sources/sending.py wants it. Each recording is a character; their segments turn nothing.

    A recording with all 23 segments of MVN is sent as it is, of others the joints of the canonical body. Raises
    RecordingError for more than 256 recordings and where there is no body in space, LayoutError where none is found,
    NotFound for what is no port.
    """

    def __init__(self, recordings: Sequence[Recording], address: str) -> None:
        if len(recordings) > MOST:
            raise RecordingError(f"expected at most {MOST} recordings for MVN, got {len(recordings)}")
        host, self._port = port_of(address, PORT)
        self._host = host or "127.0.0.1"
        self._places = [places_of(Actor(recording)) for recording in recordings]
        self._socket = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET, socket.SOCK_DGRAM)
        self._sample = 0

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        """A datagram for each character that is there."""
        for character, (row, places) in enumerate(zip(rows, self._places, strict=True)):
            if row is not None:
                packet = encode(self._sample, time_us // 1000, character, places[row])
                self._socket.sendto(packet, (self._host, self._port))
        self._sample += 1

    def close(self) -> None:
        """MVN says no goodbye either."""
        self._socket.close()


def places_of(actor: Actor) -> NDArray[np.float32]:
    """(n, 23, 3) metres, z up, of MVN's segments; NaN for those that the recording does not have."""
    own = {joint.replace(" ", "").lower(): row for row, joint in enumerate(actor.joints)}
    if all(segment.lower() in own for segment in SEGMENTS):
        places = actor.places[:, [own[segment.lower()] for segment in SEGMENTS]]
    else:
        body = actor.body
        places = np.full((len(body), len(SEGMENTS), 3), np.nan, np.float32)
        for segment, joint in JOINTS.items():
            places[:, SEGMENTS.index(segment)] = body[:, BODY.joints.index(joint)]
        # who reads MVN takes the head to be as far beyond the segment's origin as that is from the neck
        neck, head = (body[:, BODY.joints.index(joint)] for joint in ("neck", "head"))
        places[:, SEGMENTS.index("Head")] = (neck + head) / 2
    return places @ np.array(UPRIGHT["z"], np.float32)
