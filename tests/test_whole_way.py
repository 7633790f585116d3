"""The whole way as a user goes it: a server process, the client and its command line, real recordings."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from motionscribe import Client
from motionscribe.sinks import read_events
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import Event, Label, SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay


@pytest.fixture(scope="module")
def address(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server process on one of the shipped models."""
    store = tmp_path_factory.mktemp("store") / "clusters.sqlite"
    command = [sys.executable, "-m", "motionscribe_server", "--port=0", f"--storage-location={store}"]
    command += [f"--models={tiny_model.parents[1]}", f"--load={tiny_model.parent.name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        listening = re.fullmatch(r"listening on (\S+)\n", server.stdout.readline())
        assert listening, "the server did not start"
        yield listening[1]
        server.terminate()
        assert server.wait(20) == 0


@pytest.fixture(scope="module")
def offline(tiny_model: Path) -> tuple[ServedModel, Inference]:
    """The shipped model for replays in this process."""
    bundle = read_bundle(tiny_model)
    return ServedModel(bundle), Inference(bundle)


def events_of(offline: tuple[ServedModel, Inference], recording: Recording) -> list[Event]:
    """What a session says of a recording without any network."""
    options = SessionOptions(rate_hz=recording.skeleton.rate_hz)
    return [emitted.event for emitted in replay(*offline, recording, options)]


def beginning(recording: Recording, seconds: float) -> Recording:
    """The first seconds of it."""
    frames = round(seconds * recording.skeleton.rate_hz)
    return replace(recording, frames=recording.frames[:frames], timestamps_us=recording.timestamps_us[:frames])


@pytest.mark.data
def test_a_recording_streamed_from_the_command_line_is_what_a_session_says_offline(
    address: str, offline: tuple[ServedModel, Inference], data_dir: Path, tmp_path: Path
) -> None:
    path, saved = data_dir / "cmu_raw" / "86_01.amc", tmp_path / "events.jsonl"
    command = [sys.executable, "-m", "motionscribe"]
    done = subprocess.run(
        [*command, "stream", str(path), "--address", address, "--json", "--save", str(saved)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (streamed,) = read_events(saved).values()
    assert streamed == events_of(offline, read_recording(path))
    assert len(lines) >= len(streamed)
    segments = [event for event in streamed if isinstance(event, SegmentEnded)]
    assert (segments[0].start_seq, segments[-1].end_seq) == (1, 4580)
    for one, next_one in pairwise(segments):
        assert (one.end_seq, one.end_us) == (next_one.start_seq, next_one.start_us)
        assert one.cluster != next_one.cluster
    picture, table = tmp_path / "ethogram.png", tmp_path / "segments.csv"
    subprocess.run(
        [*command, "report", str(saved), "--picture", str(picture), "--csv", str(table)],
        capture_output=True,
        check=True,
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(table.read_text().splitlines()) == len(segments) + 1


@pytest.mark.data
@pytest.mark.slow
def test_ten_streams_at_once_get_the_final_labels_that_each_gets_alone(
    address: str, offline: tuple[ServedModel, Inference], data_dir: Path
) -> None:
    paths = [
        data_dir / "cmu_raw" / "86_01.amc",
        *sorted((data_dir / "sub86").glob("*.mat"))[1:],
        *sorted((data_dir / "mocap6" / "amc").glob("*.amc")),
    ]
    recordings = [beginning(read_recording(path), seconds=20) for path in paths]
    assert len(recordings) == 10

    def stream(recording: Recording) -> list[Event]:
        with Client(address) as client:
            # of a live stream, a busy machine skips windows
            return list(client.stream(recording, provisional=False, durable=True))

    with ThreadPoolExecutor(10) as pool:
        together = list(pool.map(stream, recordings))
    for recording, events in zip(recordings, together, strict=True):
        labels = [event for event in events if isinstance(event, Label)]
        alone = [event for event in events_of(offline, recording) if isinstance(event, Label) and event.final]
        assert labels == alone, recording.name
        assert len({label.cluster for label in labels}) > 1, "motion too dull to test anything"
