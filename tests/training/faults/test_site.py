"""A fault is put where it can be seen."""

import numpy as np
import pytest

from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_training.errors import TrainingError
from motionscribe_training.faults.inject import inject
from motionscribe_training.faults.kind import Kind
from motionscribe_training.faults.site import find_site

PLAY = perform([("idle", 4.0), ("walk", 4.0)], seed=1, rate_hz=60.0).recording
IDLE = perform([("idle", 8.0)], seed=1, rate_hz=60.0).recording
LENGTH = 90


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("recording", [PLAY, mapped(PLAY)], ids=["rotations", "body"])
def test_what_is_found_can_be_injected(recording: Recording, kind: Kind) -> None:
    if recording is PLAY and kind is Kind.ZEROS:
        return
    for seed in range(5):
        site = find_site(recording, kind, LENGTH, np.random.default_rng(seed), 60, 420)
        assert site is not None
        assert site == find_site(recording, kind, LENGTH, np.random.default_rng(seed), 60, 420)
        assert 60 <= site.start < site.end <= 420
        assert site.end - site.start == LENGTH
        got = inject(recording, kind, site.start, site.end, np.random.default_rng(seed), site.joint)
        assert not np.array_equal(got.recording.frames, recording.frames)


@pytest.mark.parametrize("recording", [IDLE, mapped(IDLE)], ids=["rotations", "body"])
def test_limbs_that_stand_cannot_freeze_or_limp(recording: Recording) -> None:
    for kind in (Kind.FREEZE, Kind.LIMP):
        assert find_site(recording, kind, LENGTH, np.random.default_rng(0)) is None
        moving = find_site(PLAY, kind, LENGTH, np.random.default_rng(0))
        assert moving is not None
        assert moving.end > 240, "where it walks"


def test_a_joint_near_rotation_0_cannot_drop_out() -> None:
    still = Recording("rest", np.full((300, 96), 0.05, np.float32), PLAY.timestamps_us[:300], PLAY.skeleton)
    assert find_site(still, Kind.DROPOUT, LENGTH, np.random.default_rng(0)) is None
    found = {find_site(PLAY, Kind.DROPOUT, LENGTH, np.random.default_rng(seed)) for seed in range(20)}
    assert len({site.joint for site in found if site}) > 3


def test_joints_that_are_lost_already_fail_no_more() -> None:
    body = mapped(PLAY)
    frames = body.frames.copy()
    frames[:, 6:] = np.nan  # all but pelvis and neck, which follow from the others
    lost = Recording("lost", frames, body.timestamps_us, body.skeleton)
    for kind in Kind:
        assert (find_site(lost, kind, LENGTH, np.random.default_rng(0)) is None) == (kind is not Kind.FROZEN_FEED)


def test_a_feed_of_anything_freezes() -> None:
    skeleton = feature_skeleton("rig", ("pressure", "flow"), 1.0)
    rig = Recording("rig", np.arange(200, dtype=np.float32).reshape(100, 2), np.arange(100) * 1_000_000, skeleton)
    site = find_site(rig, Kind.FROZEN_FEED, 40, np.random.default_rng(0))
    assert site is not None
    got = inject(rig, Kind.FROZEN_FEED, site.start, site.end, np.random.default_rng(0))
    assert (got.recording.frames[site.start : site.end] == rig.frames[site.start]).all()
    assert got.joints == ("pressure", "flow")
    with pytest.raises(TrainingError, match="rig: expected a representation of expmap, positions, body, got features"):
        find_site(rig, Kind.JUMP, 40, np.random.default_rng(0))


def test_no_room() -> None:
    rng = np.random.default_rng(0)
    assert find_site(PLAY, Kind.JUMP, 481, rng) is None
    assert find_site(PLAY, Kind.JUMP, 90, rng, 400) is None
    site = find_site(PLAY, Kind.JUMP, 80, rng, 400)
    assert site is not None
    assert (site.start, site.end) == (400, 480)


@pytest.mark.parametrize(("length", "earliest"), [(0, 0), (9, -1)])
def test_what_is_refused(length: int, earliest: int) -> None:
    with pytest.raises(TrainingError, match=f"got {length} frames from {earliest} on"):
        find_site(PLAY, Kind.JUMP, length, np.random.default_rng(0), earliest)
