"""Opens a recording of any known format. A path goes in; a `Recording` comes out, or an error that says why not.

READERS is the one table of formats: what opens, which endings help texts name and which files the trainer takes for
recordings follow from it. A new format is a module with a function that reads a file, and a line in READERS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import (
    amass,
    amc,
    bvh,
    c3d,
    coco,
    deeplabcut,
    expmap_csv,
    features_csv,
    mat,
    mediapipe_csv,
    mediapipe_json,
    mot,
    motive_csv,
    movement,
    mvnx,
    npz,
    openpose,
    positions_csv,
    sleap,
    trc,
    xdf,
)
from motionscribe_models.recordings.recording import Recording


@dataclass(frozen=True)
class Reader:
    """A file format, and what reads it."""

    endings: tuple[str, ...]
    """Lower case, with the dot. Formats may share endings."""
    description: str
    """For the table of docs/2-connecting.md: what is read."""
    rate: str
    """For the same table: frames a second, where nobody gives another rate."""
    read: Callable[[Path, float | None], Recording]
    """A file and a rate in Hz (None: the file's) to a recording. Raises RecordingError, MissingExtraError."""
    matches: Callable[[Path], bool] = lambda path: True
    """Whether a file is of this format, where several share an ending: the first that matches reads it, else the last.

    Raises RecordingError for a file that it cannot look into.
    """
    folders: bool = False
    """Whether it reads folders, too: those that match."""
    extra: str = ""
    """The extra that it needs."""
    table: bool = False
    """Rows of text: notes and annotations beside recordings have these endings too."""


_TEXT = (".csv", ".txt")
READERS: tuple[Reader, ...] = (
    Reader(
        (".amc",),
        "Acclaim, with `86_01.asf` or `86.asf` beside `86_01.amc`; CMU's skeleton without one",
        "120 Hz",
        amc.read_amc,
    ),
    Reader(
        (".bvh",),
        "Biovision hierarchies: places of the joints, whose units and up axis the rest pose decides",
        "by the frame time",
        bvh.read_bvh,
    ),
    Reader((".trc",), "places of markers, of OpenSim and its relatives", "by the times", trc.read_trc),
    Reader((".mot",), "joint angles of OpenSim's gait models, on an average body", "by the times", mot.read_mot),
    Reader((".c3d",), "places of labelled points, of motion capture systems", "the file's", c3d.read_c3d),
    Reader((".mvnx",), "Xsens MVN: places of the segments", "the file's", mvnx.read_mvnx),
    Reader((".mat",), "key `expmapchannels`, 96 columns, up to MATLAB 7", "120 Hz", mat.read_mat, extra="mat"),
    Reader(
        (".csv",),
        "OptiTrack Motive: places of bones, rigid bodies and markers",
        "by the times",
        motive_csv.read_motive_csv,
        motive_csv.is_motive_csv,
        table=True,
    ),
    Reader(
        (".csv",),
        "DeepLabCut: rows `scorer`, `individuals` where there are several, `bodyparts` and `coords`",
        "30 Hz",
        deeplabcut.read_deeplabcut_csv,
        deeplabcut.is_deeplabcut_csv,
        table=True,
    ),
    Reader(
        _TEXT,
        "landmarks of MediaPipe: a header such as `left_hip_x`, `left_hip_visibility`; world or image coordinates",
        "by the times, or 30 Hz",
        mediapipe_csv.read_mediapipe_csv,
        mediapipe_csv.is_mediapipe,
        table=True,
    ),
    Reader(
        _TEXT,
        "places of joints: all columns such as `head_x`, `head_y`, perhaps `head_z` and `head_score`",
        "by the times, or 30 Hz",
        positions_csv.read_positions_csv,
        positions_csv.has_joints,
        table=True,
    ),
    Reader(
        _TEXT,
        "with a header: one feature a column; `time`, `timestamp_ms`, `datetime` and the like give the times",
        "by the times",
        features_csv.read_features_csv,
        features_csv.has_header,
        table=True,
    ),
    Reader(
        _TEXT,
        "without a header: exponential maps, CMU in 96 or 117 columns, Human3.6M in 99",
        "120 or 50 Hz",
        expmap_csv.read_expmap_csv,
        table=True,
    ),
    Reader(
        (".json",),
        "OpenPose, BODY_25 or COCO-18: a folder of one file a frame, or one of these files",
        "30 Hz",
        openpose.read_openpose,
        openpose.is_openpose,
        folders=True,
    ),
    Reader(
        (".json",),
        "keypoints in COCO's form: `images`, `annotations` and `categories`, or annotations alone",
        "30 Hz",
        coco.read_coco,
        coco.is_coco,
    ),
    Reader(
        (".json",),
        "landmarks of MediaPipe: frames of 33 objects with x, y, z and visibility, world or image coordinates",
        "by the times, or 30 Hz",
        mediapipe_json.read_mediapipe_json,
        mediapipe_json.is_mediapipe,
    ),
    Reader(
        (".h5",),
        "SLEAP's analysis files: `tracks`, `node_names`, `track_names`",
        "30 Hz",
        sleap.read_sleap,
        sleap.is_sleap,
        extra="h5",
    ),
    Reader(
        (".h5",),
        "DeepLabCut, in an image or in space, of one individual or several",
        "30 Hz",
        deeplabcut.read_deeplabcut_h5,
        deeplabcut.is_deeplabcut_h5,
        extra="h5",
    ),
    Reader(
        (".nc",),
        "poses of `movement`: `position` by time, space, keypoints and individuals",
        "by the times",
        movement.read_movement,
        extra="h5",
    ),
    Reader(
        (".xdf",),
        "the first stream of type MoCap: places by labels such as `head_x`, else one feature a channel",
        "by the times",
        xdf.read_xdf,
        extra="xdf",
    ),
    Reader(
        (".npz",),
        "AMASS: rotations of SMPL's 22 body joints, on an average body",
        "the file's",
        amass.read_amass,
        amass.is_amass,
    ),
    Reader(
        (".npz",),
        "what `motionscribe convert` and `write_recording` write: any skeleton, any times",
        "by the times",
        npz.read_npz,
    ),
)


def endings() -> tuple[str, ...]:
    """Endings of all formats, in alphabetical order."""
    return tuple(sorted({ending for reader in READERS for ending in reader.endings}))


def readers_of(path: Path) -> list[Reader]:
    """Those whose ending the file has; the file need not exist."""
    return [reader for reader in READERS if path.suffix.lower() in reader.endings]


def reader_of_folder(path: Path) -> Reader | None:
    """The reader of a folder that is one recording, None for other folders. Raises RecordingError as `matches`."""
    try:
        return next((reader for reader in READERS if reader.folders and reader.matches(path)), None)
    except OSError as error:
        raise RecordingError(f"{path}: expected a folder, got {error}") from error


def read_recording(path: Path | str, rate_hz: float | None = None) -> Recording:
    """Reads a file of any format in READERS, by its ending and, where formats share one, by what is in it; or a folder.

    `rate_hz` overrides the times that the file or its format implies. Raises RecordingError with the file, what was
    expected and what came, and MissingExtraError where a format needs a package that is not installed.
    """
    path = Path(path)
    if rate_hz is not None and not 0 < rate_hz < 1e6:
        raise RecordingError(f"{path}: expected a rate above 0 Hz and below 1 MHz, got {rate_hz}")
    if path.is_dir():
        reader = reader_of_folder(path)
        if reader is None:
            raise RecordingError(
                f"{path}: expected a file, or a folder of OpenPose's JSON files, got another folder; name its files"
            )
        return reader.read(path, rate_hz)
    readers = readers_of(path)
    if not readers:
        raise RecordingError(
            f"{path}: expected a file ending in {', '.join(endings())}, got {path.suffix or 'no ending'}"
        )
    if not path.is_file():
        raise RecordingError(f"{path}: expected a file, found none")
    reader = next((reader for reader in readers if reader.matches(path)), readers[-1])
    return reader.read(path, rate_hz)
