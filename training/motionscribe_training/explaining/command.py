"""The command `motionscribe-train explain`: what a model sees, whether it is trained, and why it says what it says.

In: a model folder and recordings, best ones that it has not learnt from. Out: a folder with `report.html`, which needs
nothing beside it, the pictures as PNG and SVG, and all numbers as JSON.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from motionscribe_models.errors import LayoutError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import Recording, endings
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import ServedModel
from motionscribe_training.data.annotations import Annotation, find_annotation
from motionscribe_training.data.dataset import find_recordings, read_aloud
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.evaluate import replay_recording, save_film
from motionscribe_training.explaining.chapters.clusters import clusters_chapter
from motionscribe_training.explaining.chapters.embedding import embedding_chapter
from motionscribe_training.explaining.chapters.explained import Explained
from motionscribe_training.explaining.chapters.failures import failures_chapter
from motionscribe_training.explaining.chapters.geometry import geometry_chapter
from motionscribe_training.explaining.chapters.maps import maps_chapter
from motionscribe_training.explaining.chapters.trained import trained_chapter
from motionscribe_training.explaining.chapters.wanted import wanted_chapter
from motionscribe_training.explaining.checkpoints import read_checkpoints
from motionscribe_training.explaining.common_clusters import in_common
from motionscribe_training.explaining.evidence_score import evidence_of
from motionscribe_training.explaining.network import network_of
from motionscribe_training.explaining.report import Chapter, Film, write_report
from motionscribe_training.explaining.watched import Watched, watch
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.threads import limit_threads

FILM_S = 12.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `motionscribe-train explain`, which `main` reads."""
    parser.set_defaults(command=main)
    parser.add_argument("model", type=Path, metavar="MODEL", help="model folder, as models/body/1")
    places = f"recordings that it has not learnt from ({' '.join(endings())}), or folders of them"
    parser.add_argument("places", nargs="+", type=Path, metavar="PLACE", help=places)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report; it must be new")
    against = "a second group of recordings: in which clusters the two differ"
    parser.add_argument("--against", nargs="+", type=Path, default=(), metavar="PLACE", help=against)
    kept = "networks that its training kept (run --keep-checkpoints): the folder checkpoints of its log"
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help=kept)
    seeds = "folders of the same model with other seeds: whether they see the same"
    parser.add_argument("--beside", nargs="+", type=Path, default=(), metavar="MODEL", help=seeds)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of untrained networks and random maps")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads on a CPU")


def main(options: argparse.Namespace) -> None:
    """Writes the report and says where. Raises ContractError, TrainingError."""
    if options.out.exists():
        raise TrainingError(f"--out: expected a new folder, {options.out} exists")
    if options.seed < 0:
        raise TrainingError(f"expected --seed of at least 0, got {options.seed}")
    bundle = read_bundle(options.model)
    kept = read_checkpoints(options.checkpoints) if options.checkpoints else []
    model, inference, network = ServedModel(bundle), Inference(bundle, "fp32", (1,)), network_of(bundle)
    if kept and kept[0].network.features != model.manifest.features:
        raise TrainingError(
            f"--checkpoints: expected networks of {model.manifest.features} features, got {kept[0].network.features}"
        )
    beside = {str(folder): _beside(folder, model) for folder in options.beside}
    with limit_threads(options.threads):
        groups = [_recordings(places) for places in (options.places, options.against)]
        watched: list[Watched] = []
        parts: list[list[list[int]]] = [[], []]
        for group, own in zip(groups, parts, strict=True):
            for recording, annotation in group:
                print(f"watching {recording.name}", flush=True)
                seen = watch(model, inference, recording, annotation)
                own.append([*range(len(watched), len(watched) + len(seen))])
                watched += seen
        if not any(part.clusters.any() for part in watched):
            raise TrainingError("expected recordings long enough for a label, got none")
        common = in_common(watched, model.radius)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        # a report is there as a whole or not at all
        with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".explain-") as scratch:
            folder = Path(scratch) / "report"
            folder.mkdir()
            evidence = evidence_of(network, common.watched, model.manifest.decoder_steps)
            explained = Explained(model, network, common, evidence, options.seed, folder)
            makers: dict[str, Callable[[], Chapter]] = {
                "geometry": lambda: geometry_chapter(explained),
                "maps": lambda: maps_chapter(explained),
                "wanted": lambda: wanted_chapter(explained),
                "trained": lambda: trained_chapter(explained, kept, beside),
                "embedding": lambda: _with_film(embedding_chapter(explained), explained, inference, groups[0][0][0]),
                "clusters": lambda: clusters_chapter(explained, (parts[0], parts[1])),
                "failures": lambda: failures_chapter(watched),
            }
            chapters = []
            for name, make in makers.items():
                print(f"explaining {name}", flush=True)
                chapters.append(make())
            write_report(folder, _title(model), _about(watched), chapters)
            folder.rename(options.out)
    print(options.out / "report.html")


def _beside(folder: Path, model: ServedModel) -> Seq2Seq:
    """The network of another model that sees the same features. Raises TrainingError for one of others."""
    bundle = read_bundle(folder)
    if ServedModel(bundle).feature_map != model.feature_map or bundle.manifest.stride != model.manifest.stride:
        raise TrainingError(f"--beside: expected a model of the same features and stride, got {folder}")
    return network_of(bundle)


def _recordings(places: Sequence[Path]) -> list[tuple[Recording, Annotation | None]]:
    return [(read_aloud(path), find_annotation(path)) for path in find_recordings(places)] if places else []


def _title(model: ServedModel) -> str:
    return f"What {model.manifest.name} {model.manifest.version} sees"


def _about(watched: Sequence[Watched]) -> list[str]:
    seconds = sum((part.end_us - int(part.times_us[0])) / 1e6 for part in watched)
    annotated = sum(part.actions is not None for part in watched)
    labels = "actions that people annotated" if annotated else "the model's own clusters, since nothing is annotated"
    return [
        f"{len(watched)} recordings, {seconds / 60:.1f} minutes, {annotated} of them annotated. Labels of segments are "
        f"{labels}. Findings are of these recordings and this network; a control stands beside each.",
    ]


def _with_film(chapter: Chapter, explained: Explained, inference: Inference, recording: Recording) -> Chapter:
    """The chapter, and a film of the first recording; none of one whose joints have no place."""
    try:
        joint_positions(recording.skeleton, recording.frames[:1])
        replayed = replay_recording(explained.model, inference, recording, None, "balanced")
        path = explained.folder / "pictures" / "embedding.gif"
        path.parent.mkdir(exist_ok=True)
        save_film(path, replayed, FILM_S)
    except LayoutError:
        return chapter
    film = Film(path, f"{recording.name}: the body, its way through the embedding, and its labels.")
    return Chapter(chapter.key, chapter.title, [*chapter.blocks, film], chapter.numbers)
