"""Recordings to sequences, windows and joined actions."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.errors import RecordingError
from motionscribe_models.features import recording_features
from motionscribe_models.recordings import CMU_EXPMAP, Recording, even_times, read_recording
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_training.data.actions import concatenate_actions, find_clips, join
from motionscribe_training.data.dataset import find_recordings, find_trials, make_dataset, read_aloud
from motionscribe_training.data.windows import Windows, hold_back
from motionscribe_training.errors import TrainingError


def numbered(*lengths: int) -> list[np.ndarray]:
    """Sequences (m, 2) whose frames say which sequence and which frame they are."""
    return [np.stack([np.full(m, i), np.arange(m)], axis=1).astype(np.float32) for i, m in enumerate(lengths)]


def frames_of(windows: np.ndarray) -> set[tuple[int, int]]:
    return {(int(i), int(k)) for i, k in windows.reshape(-1, 2)}


# --- windows


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(1, 12))
def test_windows_are_all_runs_of_consecutive_frames_of_one_sequence(lengths: list[int], length: int) -> None:
    sequences = numbered(*lengths)
    slow = [s[a : a + length] for s in sequences for a in range(len(s) - length + 1)]
    if not slow:
        with pytest.raises(TrainingError, match=f"at least {length} frames, the longest has {max(lengths)}"):
            Windows(sequences, length)
        return
    windows = Windows(sequences, length)
    assert len(windows) == len(slow)
    np.testing.assert_array_equal(windows.take(np.arange(len(windows))), slow)


def test_windows_are_drawn_uniformly_and_by_the_generator_only() -> None:
    windows = Windows(numbered(30, 5, 12), 4)
    drawn = windows.draw(np.random.default_rng(3), 20_000)
    np.testing.assert_array_equal(drawn, windows.draw(np.random.default_rng(3), 20_000))
    counts = np.unique(drawn[:, 0], axis=0, return_counts=True)[1]
    assert len(counts) == len(windows) == 27 + 2 + 9
    assert counts.min() > 0.75 * 20_000 / 38
    assert counts.max() < 1.25 * 20_000 / 38


def test_spread_windows_reach_from_the_first_to_the_last() -> None:
    windows = Windows(numbered(100), 10)
    assert windows.spread(4)[:, 0, 1].tolist() == [0, 30, 60, 90]
    assert len(windows.spread(1000)) == 91


# --- hold_back


@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=6), st.integers(2, 20), st.floats(0.05, 0.4), st.integers(0, 9)
)
def test_no_frame_is_both_learnt_from_and_held_back(lengths: list[int], length: int, share: float, seed: int) -> None:
    # nothing to hold back: no sequence has a share of a window's length, and no two are as long as one
    if max(lengths) * share < length and sum(m >= length for m in lengths) < 2:
        with pytest.raises(TrainingError, match=f"windows of {length} frames"):
            hold_back(numbered(*lengths), length, share, seed)
        return
    learn, held = hold_back(numbered(*lengths), length, share, seed)
    learnt, kept = (frames_of(np.concatenate(part)) for part in (learn, held))
    assert not learnt & kept
    assert all(len(part) >= length for part in held)
    everything = frames_of(np.concatenate([s for s in numbered(*lengths) if len(s) >= length]))
    assert everything <= learnt | kept
    for part in (*learn, *held):  # parts are runs, so windows inside them are too
        assert (np.diff(part[:, 1]) == 1).all()


def test_long_recordings_hold_back_blocks_from_all_over() -> None:
    learn, held = hold_back(numbered(4000), 10, share=0.1)
    assert sum(map(len, held)) == 400
    starts = [int(block[0, 1]) for block in held]
    assert len(starts) == 10
    assert starts[0] < 400
    assert starts[-1] > 3600
    assert Windows(learn, 10).take(np.array([0]))[0, 0, 1] == 0


def test_short_recordings_are_held_back_whole() -> None:
    learn, held = hold_back(numbered(*[30] * 20), 25, share=0.1, seed=4)
    assert len(held) == 2
    assert len(learn) == 18
    other = hold_back(numbered(*[30] * 20), 25, share=0.1, seed=5)[1]
    assert {int(h[0, 0]) for h in held} != {int(h[0, 0]) for h in other}


# --- dataset


@pytest.mark.data
def test_recordings_of_one_body_in_two_formats_give_the_same_sequence(data_dir: Path) -> None:
    paths = [*find_trials(data_dir, ["01"]), data_dir / "cmu_raw" / "86_01.amc"]
    dataset = make_dataset([read_recording(p) for p in paths], 30.0)
    mat, amc = dataset.sequences
    # 4579 frames at 120 Hz are 1145 at 30 Hz
    assert mat.shape == amc.shape == (1145, dataset.feature_map.width)
    np.testing.assert_allclose(mat, amc, atol=2e-3)
    assert dataset.hours == pytest.approx(2 * 1145 / 30 / 3600)
    assert "lhipjoint" not in {dataset.feature_map.skeleton.joints[j] for j in dataset.feature_map.joints}


@pytest.mark.data
def test_a_folder_stands_for_the_recordings_in_it(data_dir: Path) -> None:
    names = [p.name for p in find_recordings([data_dir / "sub86", data_dir / "cmu_raw" / "86_09.amc"])]
    assert names == [*(f"{t}.mat" for t in ("01", "03", "07", "09", "10", "11", "13")), "86_09.amc"]
    assert {p.suffix for p in find_recordings([data_dir / "cmu_raw"])} == {".amc"}
    assert len(find_recordings([data_dir / "cmu8"])) == 27


def test_places_without_recordings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("no table\n")
    (tmp_path / "truth.csv").write_text("start_seq,end_seq,name\n1,5,walk\n")
    with pytest.raises(RecordingError, match=r"expected recordings .*\.amc.*found none"):
        find_recordings([tmp_path])
    with pytest.raises(RecordingError, match=r"nowhere\.mat: expected a recording or a folder"):
        find_recordings([tmp_path / "nowhere.mat"])
    with pytest.raises(RecordingError, match=r"trial 7: expected one of sub86/07\.mat"):
        find_trials(tmp_path, ["7"])


def test_recordings_of_different_layouts_do_not_mix() -> None:
    rng = np.random.default_rng(0)
    body = Recording("body", rng.normal(size=(50, 96)).astype(np.float32), even_times(50, 120.0), CMU_EXPMAP)
    rig = feature_skeleton("features", ("a", "b"), 1.0)
    machine = Recording("machine", rng.normal(size=(50, 2)).astype(np.float32), even_times(50, 1.0), rig)
    with pytest.raises(RecordingError, match=r"body has cmu-expmap \(96 columns\), machine has features \(2\)"):
        make_dataset([body, machine], 30.0)
    with pytest.raises(RecordingError, match="at least one recording"):
        make_dataset([], 30.0)
    still = Recording("statue", np.ones((50, 96), np.float32), even_times(50, 120.0), CMU_EXPMAP)
    with pytest.raises(RecordingError, match="no joint moves in any of 1"):
        make_dataset([still], 30.0)


@pytest.mark.parametrize(("rate", "step_s"), [(120.0, 600.0), (120.0, 0.26), (1.0, 2.6)])
def test_a_recording_is_cut_where_a_session_cuts_it(rate: float, step_s: float) -> None:
    rng = np.random.default_rng(0)
    times = even_times(500, rate)
    times[200:] += round(step_s * 1e6) - round(1e6 / rate)
    skeleton = replace(CMU_EXPMAP, rate_hz=rate)
    cut = Recording("cut", rng.normal(size=(500, 96)).astype(np.float32), times, skeleton)
    whole = replace(cut, timestamps_us=even_times(500, rate))
    dataset = make_dataset([cut, whole], 30.0)
    assert [run.origin for run in dataset.runs] == [0, 0, 1]
    assert dataset.hours == pytest.approx(sum(len(s) for s in dataset.sequences) / 30 / 3600)
    for sequence, part in zip(dataset.sequences, (slice(0, 200), slice(200, 500)), strict=False):
        alone = Recording("part", cut.frames[part], cut.timestamps_us[part], skeleton)
        own = recording_features(dataset.feature_map, alone.frames, alone.timestamps_us, 30.0)
        np.testing.assert_array_equal(sequence, own)


def test_less_than_a_gap_is_bridged() -> None:
    times = even_times(500, 120.0)
    times[200:] += 240_000
    frames = np.random.default_rng(0).normal(size=(500, 96)).astype(np.float32)
    assert len(make_dataset([Recording("bridged", frames, times, CMU_EXPMAP)], 30.0).sequences) == 1


def test_what_systems_leave_in_folders_is_not_read(tmp_path: Path) -> None:
    for name in ("._take.amc", "~$a.csv", ".hidden.csv", "Thumbs.db", "desktop.ini", ".DS_Store"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07,")
    for name, text in (("a.csv", "time;a\n0;1\n"), ("b.csv", "# made by x\n\nt\ta\n0\t1\n"), ("note.txt", "see\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / "c.csv").write_text("start_seq;end_seq;name\n1;2;walk\n", encoding="utf-16")
    (tmp_path / "walk_1.txt").write_text("0.1,0.2\n")
    (tmp_path / "._walk_2.txt").write_bytes(b"\x00,")
    assert [p.name for p in find_recordings([tmp_path])] == ["a.csv", "b.csv", "walk_1.txt"]
    assert [p.name for p in find_clips(tmp_path)["walk"]] == ["walk_1.txt"]


def test_what_a_reader_decided_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("time,who,a\n0,Ann,1\n33,Ann,2\n67,Ben,3\n")
    read_aloud(tmp_path / "a.csv")
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path / 'a.csv'}: time read as milliseconds",
        f"{tmp_path / 'a.csv'}: columns left out: who (labels)",
    ]


# --- joined actions


@pytest.mark.data
def test_joined_actions_are_their_clips_with_the_truth_beside(data_dir: Path) -> None:
    folder = data_dir / "cmu8"
    recording, truth = concatenate_actions(folder, ["walking", "running", "jumping"], 2, 6, seed=3)
    again, same = concatenate_actions(folder, ["walking", "running", "jumping"], 2, 6, seed=3)
    np.testing.assert_array_equal(recording.frames, again.frames)
    assert truth == same
    assert truth != concatenate_actions(folder, ["walking", "running", "jumping"], 2, 6, seed=4)[1]
    names = [segment.name for segment in truth.segments]
    assert len(names) == 6
    assert len(set(names)) == 2
    assert all(one != other for one, other in pairwise(names))
    assert truth.segments[-1].end == len(recording.frames)

    clips = [read_recording(path) for paths in find_clips(folder).values() for path in paths]
    seen: list[str] = []
    for start, end, name in truth.segments:
        poses = recording.frames[start:end, 3:]
        # the T pose before each clip is dropped
        match = [c.name for c in clips if len(c.frames) == end - start + 1 and np.array_equal(c.frames[1:, 3:], poses)]
        assert len(match) == 1
        assert match[0].startswith(name)
        seen += match
    assert len(set(seen)) == 6  # six clips of four each: none twice
    places = recording.frames[:, [0, 2]]
    assert np.abs(np.diff(places, axis=0)).max() < 1.0  # inches: nobody jumps across the room at a cut


@pytest.mark.data
def test_all_actions_once_unless_said_otherwise(data_dir: Path) -> None:
    _, truth = concatenate_actions(data_dir / "cmu8", num_actions=5)
    assert len(truth.segments) == len(truth.names) == 5
    _, truth = concatenate_actions(data_dir / "cmu8", ["walking", "washwindow"], total_num_actions=4)
    assert [s.name for s in truth.segments].count("washwindow") == 2  # its only clip twice


@pytest.mark.data
def test_actions_that_cannot_be_joined_are_refused(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "cmu8"
    with pytest.raises(RecordingError, match="got flying"):
        concatenate_actions(folder, ["walking", "flying"])
    with pytest.raises(RecordingError, match=r"--num-actions of 1 to 2 \(walking, running\), got 3"):
        concatenate_actions(folder, ["walking", "running"], 3)
    with pytest.raises(RecordingError, match="--total-num-actions of at least 3"):
        concatenate_actions(folder, num_actions=3, total_num_actions=2)
    with pytest.raises(RecordingError, match="--total-num-actions of at least 1, and 1 for a single action, got 2"):
        concatenate_actions(folder, ["walking"], 1, 2)
    with pytest.raises(RecordingError, match="expected a folder of clips"):
        concatenate_actions(tmp_path)
    clip = read_recording(folder / "walking_1.txt")
    with pytest.raises(RecordingError, match="walking_1: expected a clip without gaps"):
        join([replace(clip, timestamps_us=clip.timestamps_us + 10**6 * (np.arange(len(clip.frames)) > 9))], ["walk"])
    with pytest.raises(RecordingError, match="clips of one layout and rate"):
        join([read_recording(folder / "walking_1.txt"), read_recording(data_dir / "sub86" / "01.mat")], ["walk", "mix"])


def test_json_that_is_no_recording_may_lie_beside_some(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text('{"walk": [1, 2]}')
    (tmp_path / "marks.json").write_text('[{"x": 1, "y": 2, "z": 3}]')  # landmarks, though not 33
    (tmp_path / "a.csv").write_text("time,a\n0,1\n1,2\n")
    assert [p.name for p in find_recordings([tmp_path])] == ["a.csv", "marks.json"]
