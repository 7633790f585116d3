"""What is said on one connection to QTM: what came last, what is asked next, and whom the frames are of.

In: packets. Out: commands, and moments. Where QTM has skeletons they are the people; else all labelled markers are one
person. Pure: no network, no clock.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.moments import ANY_RATE_HZ, MOST_JOINTS, Body, Moment, seen_places
from motionscribe.sources.person_ids import person_ids
from motionscribe.sources.qtm.packets import Data, Kind, read_data, read_parameters
from motionscribe_models.errors import LayoutError
from motionscribe_models.recordings.places import MILLIMETRE, places_skeleton
from motionscribe_models.skeleton import Skeleton

VERSIONS = ("1.25", "1.21")
"""The newest whose packets are known, and the first that sends skeletons in the room."""
PARAMETERS = "GetParameters 3D Skeleton"
MARKERS = "markers"
"""Who has no skeleton."""
BEGUN = {1, 3, 8, 11}
"""Events after which other people may be there: connected, capture or file started, settings changed."""


class Conversation:
    """Commands go to `say`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._versions = list(VERSIONS)
        self._agreed = False
        self.refused = False
        """QTM speaks none of VERSIONS."""
        self._people: list[tuple[str, Skeleton]] = []
        self._have_skeletons = False
        self.wanted = False
        """Frames have come that are of others than QTM said: ask again."""

    def ask(self) -> None:
        """Asks who is there. The answer begins the frames."""
        if self._agreed:
            self.wanted = False
            self._say(PARAMETERS)

    def take(self, kind: int, content: bytes, arrived_us: int) -> Moment | None:
        """The moment in a packet, if it has one. Raises ValueError for what is damaged."""
        if kind == Kind.DATA:
            return self._see(read_data(content), arrived_us)
        if kind == Kind.XML:
            self._meet(content)
        elif kind == Kind.EVENT:
            if content[:1] and content[0] in BEGUN:
                self.ask()
        elif kind in (Kind.COMMAND, Kind.ERROR) and not self._agreed:
            # the first is a welcome, then comes what is said of each version that is asked for
            if kind == Kind.COMMAND and content.lower().startswith(b"version set"):
                self._agreed = True
                self.ask()
            elif self._versions:
                self._say(f"Version {self._versions.pop(0)}")
            else:
                self.refused = True
        return None

    def _meet(self, content: bytes) -> None:
        parameters = read_parameters(content)
        self._have_skeletons = bool(parameters.skeletons)
        shapes: list[tuple[str, Sequence[str], Sequence[int]]] = [
            (one.name, one.joints, one.parents) for one in parameters.skeletons
        ]
        if not shapes and parameters.markers:
            shapes = [(MARKERS, parameters.markers, ())]
        if any(len(joints) > MOST_JOINTS for _, joints, _ in shapes):
            raise ValueError(f"expected up to {MOST_JOINTS} joints")
        ids = person_ids([name for name, _, _ in shapes])
        try:
            self._people = [
                (id, places_skeleton("qtm", joints, MILLIMETRE, parameters.up_axis, ANY_RATE_HZ, parents))
                for id, (_, joints, parents) in zip(ids, shapes, strict=True)
            ]
        except LayoutError as error:
            raise ValueError(str(error)) from error
        if shapes:
            self._say(f"StreamFrames AllFrames {'Skeleton:Global' if self._have_skeletons else '3D'}")

    def _see(self, data: Data, arrived_us: int) -> Moment | None:
        if self._have_skeletons:
            seen: list[NDArray[np.float32]] = [segments["place"] for segments in data.skeletons or ()]
        else:
            seen = [] if data.markers is None else [data.markers]
        people = list(zip(self._people, seen, strict=False))
        if len(seen) != len(self._people) or any(
            len(places) not in (0, len(one.joints)) for (_, one), places in people
        ):
            self.wanted = True
            return None
        bodies = [Body(skeleton, seen_places(places), person=id) for (id, skeleton), places in people if len(places)]
        return Moment(data.time_us, arrived_us, bodies)
