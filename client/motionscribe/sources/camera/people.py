"""People before a camera as sources: one for each, or one for whoever is there the longest.

In: images, and an estimator that finds people in them. Out: frames of each person, who has a number and comes and goes.
Images of a file wait until its frames are taken; a camera's driver drops what nobody takes.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe.errors import BadFrames, NotFound
from motionscribe.sources.base import Source
from motionscribe.sources.camera.estimator import HIPS, Estimator, Image, Person, frame_of, load_estimator, skeleton_of
from motionscribe.sources.camera.images import Images
from motionscribe.sources.tracker import Spot, Tracker
from motionscribe.threads import from_thread
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock

AHEAD = 30
"""Frames of a person that wait to be taken; then images wait."""

Frame = tuple[int, NDArray[np.float32], NDArray[np.float32]]
"""Time in microseconds, values (D,), confidences (J,)."""


def open_camera(address: str, rate_hz: float | None = None) -> "CameraSource":
    """The address `camera:NUMBER` or `camera:FILE`. Raises what Images and load_estimator raise."""
    return CameraSource(Images(address, rate_hz), load_estimator())


@dataclass(frozen=True)
class _Moment:
    """Who is in one image."""

    time_us: int
    people: dict[int, Person]
    """By number."""
    present: frozenset[int]
    """Numbers of those who are there, or will be the same ones when they return."""


class CameraSource(Source):
    """As a source: the frames of whoever is there the longest. `people` gives all of them. Use one of both, once.

    Raises BadFrames for an estimator without hips.
    """

    name = "camera"
    several = True
    """There may be several people."""

    def __init__(self, images: Images, estimator: Estimator) -> None:
        self.skeleton: Skeleton = skeleton_of(estimator, images.rate_hz)
        self.rate_hz = images.rate_hz
        self.live = images.live
        self._images = images
        self._estimator = estimator
        self._hips = [self.skeleton.joints.index(hip) for hip in HIPS]

    async def people(self) -> AsyncGenerator["PersonSource", None]:
        """A source for each person who appears; whoever is away for more than two seconds has ended.

        Its frames must be taken while the next person is waited for. Raises NotFound where nobody was ever found, and
        what the estimator raises, after all sources have ended.
        """
        sources: dict[int, PersonSource] = {}
        count = 0
        try:
            async with aclosing(from_thread(self._moments())) as moments:
                async for moment in moments:
                    for number in sources.keys() - moment.present:
                        sources.pop(number).end()
                    for number, person in moment.people.items():
                        if number not in sources:
                            sources[number] = PersonSource(number, self.skeleton)
                            count += 1
                            yield sources[number]
                        await sources[number].put(self._frame(moment.time_us, person))
        finally:
            for source in sources.values():
                source.end()
        if not count:
            raise NotFound("expected people before the camera, found none")

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """A block a frame."""
        seq = 1
        async with aclosing(from_thread(self._moments())) as moments:
            async for moment in moments:
                if moment.people:
                    yield _block(seq, [self._frame(moment.time_us, moment.people[min(moment.people)])])
                    seq += 1

    def _moments(self) -> Iterator[_Moment]:
        tracker = Tracker()
        with closing(self._estimator):
            for time_us, image in self._images:
                found = [(spot, one) for one in self._find(image, time_us) if (spot := self._spot(one))]
                numbers = tracker.follow(time_us, [spot for spot, _ in found])
                people = {number: one for number, (_, one) in zip(numbers, found, strict=True) if number}
                yield _Moment(time_us, people, tracker.present)

    def _find(self, image: Image, time_us: int) -> Sequence[Person]:
        """Raises BadFrames for people of another shape than the skeleton's."""
        people = self._estimator.find(image, time_us)
        if not isinstance(people, Sequence) or not all(isinstance(one, Person) for one in people):
            raise BadFrames(f"expected of the estimator a sequence of Person, got {people!r:.60}")
        for one in people:
            frame_of(one, self.skeleton)
        return people

    def _spot(self, person: Person) -> Spot | None:
        """None for somebody without a place."""
        seen = np.isfinite(person.places).all(axis=1)
        if not seen.any():
            return None
        hips = person.places[[hip for hip in self._hips if seen[hip]] or seen]
        return Spot(tuple(hips.mean(axis=0).tolist()), float(np.ptp(person.places[seen], axis=0).max()))

    def _frame(self, time_us: int, person: Person) -> Frame:
        return time_us, frame_of(person, self.skeleton), np.asarray(person.confidences, np.float32)


class PersonSource(Source):
    """Frames of one person; in time there is a hole where the person was not found."""

    def __init__(self, number: int, skeleton: Skeleton) -> None:
        self.person = str(number)  # in the order of appearance
        self.name = f"camera-{number}"
        self.skeleton = skeleton
        self.rate_hz = skeleton.rate_hz
        self._queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(AHEAD)

    async def put(self, frame: Frame) -> None:
        """Waits while many frames are not taken."""
        await self._room.acquire()
        self._queue.put_nowait(frame)

    def end(self) -> None:
        """No more frames come."""
        self._queue.put_nowait(None)

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """What has come since the last block, up to `size` frames."""
        seq = 1
        while frames := await self._take(size):
            yield _block(seq, frames)
            seq += len(frames)

    async def _take(self, size: int) -> list[Frame]:
        """Empty at the end."""
        frames: list[Frame] = []
        while not frames or (len(frames) < size and not self._queue.empty()):
            frame = await self._queue.get()
            if frame is None:
                self._queue.put_nowait(None)  # the end is there for the next call, too
                break
            self._room.release()
            frames.append(frame)
        return frames


def _block(seq: int, frames: Sequence[Frame]) -> FrameBlock:
    times, values, confidences = zip(*frames, strict=True)
    return FrameBlock(seq, np.stack(values), np.array(times, np.int64), np.stack(confidences))
