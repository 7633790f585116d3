"""People before a camera: real videos of squares, each of which is taken for a person."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.client.sources.test_sources import collect, joined
from tests.support.squares import BODY, RATE_HZ, Place, Squares, draw

from motionscribe import FrameBlock
from motionscribe.errors import BadFrames, NotFound
from motionscribe.sources import open_source
from motionscribe.sources.camera import CameraSource, Person, images
from motionscribe.sources.camera.estimator import VARIABLE, Image, load_estimator
from motionscribe.sources.camera.images import Images
from motionscribe.sources.camera.people import PersonSource
from motionscribe.sources.tracker import NEWCOMER_US
from motionscribe_models.errors import MissingExtraError, RecordingError

STEP_US = round(1e6 / RATE_HZ)
NEW = NEWCOMER_US // STEP_US
BLUE, GREEN, RED = range(3)
Frames = Sequence[Mapping[int, Place]]
TWO = [{BLUE: (60.0 + 2 * n, 100.0), GREEN: (250.0 - n, 150.0)} for n in range(20)]


def camera(folder: Path, frames: Frames, estimator: Squares | None = None) -> CameraSource:
    return CameraSource(Images(str(draw(folder / "squares.avi", frames))), estimator or Squares())


def people_of(source: CameraSource) -> dict[int, list[FrameBlock]]:
    """The blocks of each person, by number."""
    found: dict[int, list[FrameBlock]] = {}

    async def take(person: PersonSource) -> None:
        found[int(person.person)] = [block async for block in person.blocks(4)]

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks, aclosing(source.people()) as people:
            async for person in people:
                assert person.name == f"camera-{person.person}"
                assert person.skeleton == source.skeleton
                tasks.create_task(take(person))

    asyncio.run(run())
    for blocks in found.values():
        assert [block.first_seq for block in blocks] == [1, *[block.next_seq for block in blocks[:-1]]]
        assert max(map(len, blocks)) <= 4
    return found


def colour_of(blocks: list[FrameBlock]) -> set[int]:
    """Squares says it by confidence."""
    sure = [block.confidences for block in blocks if block.confidences is not None]
    return set(np.rint((np.concatenate(sure) - 0.5) * 10).astype(int).ravel().tolist())


def test_each_person_is_a_source_of_the_frames_of_the_video(tmp_path: Path) -> None:
    estimator = Squares()
    source = camera(tmp_path, TWO, estimator)
    assert not source.live
    people = people_of(source)
    assert sorted(people) == [1, 2]
    assert estimator.times_us == [n * STEP_US for n in range(len(TWO))]
    assert estimator.closed == 1
    for number, colour in ((1, BLUE), (2, GREEN)):
        values, times = joined(people[number])
        assert times.tolist() == estimator.times_us[NEW:]
        places = np.array([frame[colour] for frame in TWO[NEW:]])[:, None] + BODY
        np.testing.assert_allclose(values.reshape(-1, 17, 2), places, atol=1.5)
        assert colour_of(people[number]) == {colour}


def test_its_skeleton_is_pixels_of_an_image_or_metres_before_the_camera(tmp_path: Path) -> None:
    flat = camera(tmp_path, TWO)
    assert (flat.skeleton.representation, flat.skeleton.units, flat.skeleton.up_axis) == ("positions2d", "px", "-y")
    assert flat.rate_hz == flat.skeleton.rate_hz == RATE_HZ

    class Deep(Squares):
        in_space = True

        def find(self, image: Image, time_us: int) -> Sequence[Person]:
            depth = np.arange(51.0).reshape(17, 3)
            return [Person(one.places, one.confidences, depth) for one in super().find(image, time_us)]

    deep = camera(tmp_path, TWO, Deep())
    assert (deep.skeleton.representation, deep.skeleton.units, deep.skeleton.level) == ("positions", "m", False)
    values, _ = joined(people_of(deep)[2])
    np.testing.assert_array_equal(values, np.tile(np.arange(51, dtype=np.float32), (len(TWO) - NEW, 1)))


def test_who_comes_back_soon_goes_on_and_later_is_somebody_else(tmp_path: Path) -> None:
    here: Mapping[int, Place] = {RED: (150.0, 100.0)}
    people = people_of(camera(tmp_path, [*[here] * 20, *[{}] * 30, *[here] * 10, *[{}] * 45, *[here] * 15]))
    times = {number: joined(blocks)[1] // STEP_US for number, blocks in people.items()}
    assert times[1].tolist() == [*range(NEW, 20), *range(50, 60)]
    assert times[2].tolist() == [*range(105 + NEW, 120)]


def test_a_person_ends_while_the_others_go_on(tmp_path: Path) -> None:
    frames = [{BLUE: (60.0, 100.0)} | ({GREEN: (250.0, 100.0)} if n < 20 else {}) for n in range(80)]
    ended: list[tuple[int, int]] = []

    async def run() -> None:
        source = camera(tmp_path, frames)
        seen = {1: 0, 2: 0}

        async def take(person: PersonSource) -> None:
            async for block in person.blocks(1):
                seen[int(person.person)] += len(block)
            ended.append((int(person.person), seen[1]))

        async with asyncio.TaskGroup() as tasks, aclosing(source.people()) as people:
            async for person in people:
                tasks.create_task(take(person))

    asyncio.run(run())
    assert [number for number, _ in ended] == [2, 1]
    assert 60 - NEW <= ended[0][1] < 80 - NEW == ended[1][1]


def test_images_wait_for_who_is_slow_to_take_frames(tmp_path: Path) -> None:
    frames = [{BLUE: (100.0, 100.0)}] * 120
    estimator = Squares()

    async def run() -> None:
        async with aclosing(camera(tmp_path, frames, estimator).people()) as people:
            person = await anext(people)
            following = asyncio.create_task(anext(people, None))
            await asyncio.sleep(0.3)
            assert len(estimator.times_us) < 60
            assert sum([len(block) async for block in person.blocks(10)]) == 120 - NEW
            assert await following is None

    asyncio.run(run())


def test_as_a_source_a_camera_is_who_is_there_the_longest(tmp_path: Path) -> None:
    frames = [
        ({GREEN: (100.0, 100.0)} if n < 30 else {}) | ({BLUE: (250.0, 100.0)} if n >= 10 else {}) for n in range(50)
    ]
    source = camera(tmp_path, frames)
    blocks = collect(source, 10)
    assert joined(blocks)[1].tolist() == [n * STEP_US for n in range(NEW, 50)]
    assert colour_of(blocks[: 30 - NEW]) == {GREEN}
    assert colour_of(blocks[30 - NEW :]) == {BLUE}


def test_what_was_found_comes_before_the_estimators_failure(tmp_path: Path) -> None:
    class Failing(Squares):
        def find(self, image: Image, time_us: int) -> Sequence[Person]:
            if time_us == 15 * STEP_US:
                raise RuntimeError("out of memory")
            return super().find(image, time_us)

    estimator, taken = Failing(), 0

    async def run() -> None:
        nonlocal taken
        async with aclosing(camera(tmp_path, TWO, estimator).people()) as people:
            first = await anext(people)
            await anext(people)
            with pytest.raises(RuntimeError, match="out of memory"):
                await anext(people)
            taken = sum([len(block) async for block in first.blocks(10)])

    asyncio.run(run())
    assert taken == 15 - NEW
    assert estimator.closed == 1


def test_nobody_is_an_error(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(NotFound, match="expected people before the camera, found none"):
            await anext(camera(tmp_path, [{}] * 5).people())

    asyncio.run(run())


def test_joints_that_were_not_found_leave_their_person_in_place(tmp_path: Path) -> None:
    class Blind(Squares):
        """Sees no hips of the blue one, and nothing of the green one."""

        def find(self, image: Image, time_us: int) -> Sequence[Person]:
            blue, green = super().find(image, time_us)
            blue.places[11:13] = np.nan
            green.places[:] = np.nan
            return [blue, green]

    [(number, blocks)] = people_of(camera(tmp_path, TWO, Blind())).items()
    assert number == 1
    assert np.isnan(joined(blocks)[0].reshape(-1, 17, 2)).all(axis=2).any(axis=0).nonzero()[0].tolist() == [11, 12]


def test_an_estimator_of_other_shapes_or_without_hips(tmp_path: Path) -> None:
    class Short(Squares):
        def find(self, image: Image, time_us: int) -> Sequence[Person]:
            return [Person(one.places, one.confidences[1:]) for one in super().find(image, time_us)]

    with pytest.raises(ExceptionGroup) as failed:
        people_of(camera(tmp_path, TWO, Short()))
    assert "expected of the estimator places (17, 2), confidences (17,) and values (17, 2), got" in str(
        failed.value.exceptions[0]
    )

    class Hipless(Squares):
        joints: tuple[str, ...] = Squares.joints[:11]

    with pytest.raises(BadFrames, match="with the joints left_hip and right_hip, got nose, "):
        camera(tmp_path, TWO, Hipless())


def test_a_rate_of_ones_own(tmp_path: Path) -> None:
    source = CameraSource(Images(str(draw(tmp_path / "squares.avi", TWO)), 10.0), Squares())
    assert source.rate_hz == 10.0
    assert joined(collect(source, 1))[1].tolist() == [n * 100_000 for n in range(3, len(TWO))]


def test_frames_of_a_camera_have_the_time_at_which_they_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for a camera, which test machines have not."""
    taken = iter([np.zeros((2, 2, 3), np.uint8)] * 3)
    released = []
    capture = SimpleNamespace(
        isOpened=lambda: True,
        get=lambda what: 0.0,
        read=lambda: (image is not None, image) if (image := next(taken, None)) is not None else (False, None),
        release=lambda: released.append(True),
    )
    cv2 = SimpleNamespace(VideoCapture=lambda number: capture, CAP_PROP_FPS=5, CAP_PROP_POS_MSEC=0)
    monkeypatch.setattr(images, "load_cv2", lambda: cv2)
    source = Images("0")
    assert source.live
    assert source.rate_hz == 30.0
    times = [time_us for time_us, _ in source]
    assert times == sorted(times)
    assert times[0] > 1_700_000_000_000_000
    assert released


def test_no_camera_no_video_no_opencv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound, match=r"expected the number of a camera, such as 0, or a video file, got 'a\.mp4'"):
        Images("a.mp4")
    text = tmp_path / "a.mp4"
    text.write_text("no video")
    with pytest.raises(RecordingError, match=r"a\.mp4: expected a video that OpenCV reads"):
        Images(str(text))
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[camera\]"'):
        open_source("camera:0")


def test_the_file_of_an_estimator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.py"
    with pytest.raises(NotFound, match=f"expected {VARIABLE} to name a Python file .*, got 'nothing'"):
        load_estimator({})
    with pytest.raises(NotFound, match=r"got '.*mine\.py'"):
        load_estimator({VARIABLE: str(path)})
    path.write_text("import a_pose_library_that_is_not_there")
    with pytest.raises(NotFound, match=r"mine\.py: No module named 'a_pose_library_that_is_not_there'$"):
        load_estimator({VARIABLE: str(path)})
    (tmp_path / "mine.txt").write_text("a-pose-library")
    with pytest.raises(NotFound, match=r": pip install -r .*mine\.txt$"):
        load_estimator({VARIABLE: str(path)})
    path.write_text("make = 1")
    with pytest.raises(NotFound, match=r"mine\.py: expected a function make_estimator\(\), found none"):
        load_estimator({VARIABLE: str(path)})
    path.write_text("from tests.support.squares import Squares as make_estimator")
    monkeypatch.setenv(VARIABLE, str(path))
    source = open_source(f"camera:{draw(tmp_path / 'squares.avi', TWO)}")
    assert isinstance(source, CameraSource)
    assert len(people_of(source)) == 2
