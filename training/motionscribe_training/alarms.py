"""`motionscribe-train alarms`: the alarms of a model, fitted anew to normal motion of your own.

In: a model folder and recordings without faults. Out: a folder of the next version that has other constants of anomaly
scores; network, embedding and clusters are the same files and numbers, and so are all labels. The recordings go through
the server's own session: what is fitted is what a stream will be judged by.
"""

import shlex
import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from motionscribe_models.body.skeleton import BODY
from motionscribe_models.durations import SESSION
from motionscribe_models.gaps import longest_step_us, runs_without_gap
from motionscribe_models.manifest import ARRAYS, write_manifest
from motionscribe_models.recordings import Recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.moment import Moment
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.session.session import Session
from motionscribe_training.data.dataset import find_recordings, read_aloud
from motionscribe_training.data.degrade import with_degraded
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.evaluate import in_layout_of
from motionscribe_training.fitting.anomaly import Normal, fit_anomaly
from motionscribe_training.fitting.durations import Durations
from motionscribe_training.run import next_version
from motionscribe_training.threads import limit_threads


def fit_alarms(options: Namespace) -> None:
    """Runs the command with the options that the parser of __main__.py read."""
    bundle = read_bundle(options.folder)
    manifest = bundle.manifest
    version = options.version or next_version(options.out / manifest.name, manifest.version)
    folder: Path = options.out / manifest.name / version
    if folder.exists():
        raise TrainingError(f"expected a new version of {manifest.name}, {folder} exists")
    kept = {name: array for name, array in bundle.arrays.items() if not name.startswith("anomaly.")}
    bundle = replace(bundle, arrays=kept)  # those that it has may be of an earlier form
    model, inference = ServedModel(bundle), Inference(bundle)
    originals = [in_layout_of(model, read_aloud(path)) for path in find_recordings(options.places)]
    recordings = list(originals)
    if manifest.skeleton.representation == BODY.representation:  # as worse cameras see them: what training does
        recordings = with_degraded(originals, np.random.default_rng(options.seed))
    told = {name: manifest.settings[name] * model.moment_s for name in SESSION if name in manifest.settings}
    normal: list[Normal] = []
    with limit_threads(options.threads):
        for number, recording in enumerate(recordings):
            normal += seen_by(model, inference, recording, number % len(originals))
            print(f"{recording.name}: {len(recording.frames) / recording.skeleton.rate_hz:.0f} s", flush=True)
        if not any(np.ptp(part.features, axis=0).any() for part in normal):
            raise TrainingError(f"expected motion, but nothing changes in any of {len(originals)} recordings")
        print("fitting", flush=True)
        fitted = fit_anomaly(model.feature_map, normal, manifest.stride, Durations(model.moment_s, told), options.seed)
    seconds = sum(len(part.sensed) for part in normal) * model.moment_s
    how = {"command": shlex.join(["motionscribe-train", *sys.argv[1:]]), "minutes": round(seconds / 60, 2)}
    new = replace(
        manifest,
        version=version,
        created=date.today().isoformat(),
        training={**manifest.training, "alarms": how},
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".alarms-") as scratch:
        partial = Path(scratch) / "model"
        partial.mkdir()
        for file in manifest.files:
            shutil.copyfile(options.folder / file, partial / file)
        np.savez_compressed(partial / ARRAYS, allow_pickle=False, **kept, **fitted)
        write_manifest(partial, new)
        ServedModel(read_bundle(partial))  # a folder that no server would load is none
        partial.rename(folder)
    print(f"{folder}: alarms of {len(originals)} recordings, {seconds / 60:.1f} minutes with copies")


def seen_by(model: ServedModel, inference: Inference, recording: Recording, motion: int) -> Iterator[Normal]:
    """The moments of each part of a recording without a gap, as its stream has them."""
    stride, rate_hz = model.manifest.stride, recording.skeleton.rate_hz
    for run in runs_without_gap(recording.timestamps_us, longest_step_us(rate_hz, model.manifest.rate_hz)):
        part = replace(recording, frames=recording.frames[run], timestamps_us=recording.timestamps_us[run])
        moments: list[Moment] = []
        options = SessionOptions(rate_hz=rate_hz)
        replay(model, inference, part, options, Session(model, options, on_moment=moments.append))
        whole = [moment for moment in moments if len(moment.frames) >= stride]
        if whole:
            yield Normal(
                motion,
                np.concatenate([moment.frames[-stride:] for moment in whole]),
                [moment.sensed for moment in whole],
                np.array([moment.estimates[-1] for moment in whole]),
            )
