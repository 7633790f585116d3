"""The command `motionscribe-train`: reads arguments, calls the step, prints errors.

The parser works without torch; a subcommand imports what it needs when it runs.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from motionscribe_models.errors import ContractError, MissingExtraError
from motionscribe_models.lags import LAGS
from motionscribe_models.recordings import endings
from motionscribe_training.errors import TrainingError

DATA = "../shared/data"
TRAINING = ("torch", "onnx", "sklearn", "scipy", "matplotlib", "PIL", "threadpoolctl", "tqdm")
"""Modules of the extra `training`. A missing module that is not among them belongs to the extra `server-cpu`."""


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """The whole parser. The options of evaluate and explain need torch and are added only where `command` is it."""
    about = "Train, evaluate, explain and sign models, and fetch recordings."
    parser = argparse.ArgumentParser(prog="motionscribe-train", description=about)
    commands = parser.add_subparsers(required=True, metavar="run | evaluate | explain | alarms | sign | fetch")
    _add_run(commands.add_parser("run", help="recordings in, a model folder out", formatter_class=_Help))
    evaluate = commands.add_parser("evaluate", help="labelled recordings through a model", formatter_class=_Help)
    if command == "evaluate":
        from motionscribe_training.evaluation.command import add_arguments as add_evaluate

        add_evaluate(evaluate)
    why = "what a model sees, whether it is trained, and why it says what it says: a report"
    explain = commands.add_parser("explain", help=why, formatter_class=_Help)
    if command == "explain":
        from motionscribe_training.explaining.command import add_arguments as add_explain

        add_explain(explain)
    alarms = "other alarms for a model: fitted to normal motion of your own"
    _add_alarms(commands.add_parser("alarms", help=alarms, formatter_class=_Help))
    _add_sign(commands.add_parser("sign", help="sign a model folder", formatter_class=_Help))
    _add_fetch(commands.add_parser("fetch", help="download a public set of recordings", formatter_class=_Help))
    return parser


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help that shows defaults."""


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_run)
    what = parser.add_argument_group("what to learn from")
    places = f"recordings ({' '.join(endings())}), or folders of them"
    what.add_argument("places", nargs="*", type=Path, metavar="PLACE", help=places)
    data = Path(os.environ.get("MOTIONSCRIBE_DATA", DATA))
    what.add_argument("--data", type=Path, default=data, metavar="ROOT", help="folder of the public sets")
    what.add_argument("--trial", type=_words, default=(), metavar="01,03", help="trials of CMU subject 86 in ROOT")
    what.add_argument(
        "--actions",
        type=_words,
        default=(),
        metavar="walking,running",
        help="join clips <action>_<n>.txt of a folder (ROOT/cmu8 unless one is given); all actions when left out",
    )
    what.add_argument(
        "--single-action",
        nargs="+",
        type=Path,
        default=(),
        metavar="PLACE",
        help="recordings of one action each: they train the network only, the embedding is not fitted on them",
    )
    what.add_argument("--num-actions", type=int, metavar="N", help="how many different actions, chosen by --seed")
    what.add_argument("--total-num-actions", type=int, metavar="N", help="how many clips, repeated actions counted")
    body = "map every recording to the canonical body, and learn from worse copies too: a model for any skeleton"
    bodies = what.add_mutually_exclusive_group()
    bodies.add_argument("--body", action="store_true", help=body)
    body2d = "the same, seen by cameras without depth that stand anywhere: a model for places in an image"
    bodies.add_argument("--body2d", action="store_true", help=body2d)
    rate = "rate of the network's frames; 30, or that of the slowest recording where it is lower, when left out"
    what.add_argument("--rate", type=float, metavar="HZ", help=rate)

    network = parser.add_argument_group("the network")
    network.add_argument("--hidden", type=int, default=1024, metavar="H", help="units of the cell (published: 1024)")
    network.add_argument("--source-seq-len", type=int, default=50, metavar="T", help="frames that are observed")
    predicted = "frames that are predicted; 4, or the stride where it is longer, when left out"
    network.add_argument("--target-seq-len", type=int, metavar="M", help=predicted)
    stride = "frames between two windows, a moment; divides T; 5 at 30 Hz, fewer at lower rates, when left out"
    network.add_argument("--stride", type=int, metavar="N", help=stride)
    network.add_argument(
        "--projected", type=int, default=32, metavar="P", help="dimensions that decoder states are projected to"
    )

    learning = parser.add_argument_group("learning")
    learning.add_argument("--iterations", type=int, default=10_000, metavar="N", help="at most; may stop earlier")
    learning.add_argument("--batch-size", type=int, default=64, metavar="B", help="windows per iteration")
    learning.add_argument("--learning-rate", type=float, default=1e-3, metavar="X", help="AdamW's highest")
    learning.add_argument("--seed", type=int, default=0, metavar="N", help="seed of weights, batches, choices and fits")
    threads = "threads on a CPU; networks as small as these gain little from more, and lose much on a busy machine"
    learning.add_argument("--threads", type=int, default=1, metavar="N", help=threads)
    learning.add_argument(
        "--adversarial",
        type=float,
        nargs="?",
        const=0.05,
        default=0.0,
        metavar="WEIGHT",
        help="also train against a fidelity and a continuity discriminator; 0.05 when no weight is given",
    )
    stop = "end early when this no longer improves: the error on held-back windows, or the separation of states"
    learning.add_argument("--stop", choices=("error", "separation"), default="error", help=stop)
    learning.add_argument("--load", type=Path, metavar="FILE", help="continue from this checkpoint")

    result = parser.add_argument_group("what to make")
    result.add_argument("--name", default="motion", help="name of the model")
    result.add_argument("--version", metavar="N", help="version of the model; the next free one when left out")
    result.add_argument("--description", default="", metavar="TEXT", help="one sentence for users of the model")
    result.add_argument("--out", type=Path, default=Path("models"), metavar="DIR", help="model repository")
    result.add_argument("--log", type=Path, default=Path("runs"), metavar="DIR", help="for checkpoints and loss curves")
    keep = "also keep the network of each validation in the log folder, for `explain`"
    result.add_argument("--keep-checkpoints", action="store_true", help=keep)
    result.add_argument("--model", type=Path, metavar="DIR", help="do not train: use this model folder")
    duration = "how long something lasts, in seconds, where it should not follow the rate: see docs/4-training.md"
    result.add_argument("--duration", nargs="+", type=_duration, default=(), metavar="NAME=SECONDS", help=duration)
    result.add_argument("--lag", choices=LAGS, default="balanced", help="latency preset to show")
    result.add_argument("--picture", type=Path, metavar="FILE", help="predicted against true segments, as .png")
    result.add_argument("--video", type=Path, metavar="FILE", help="skeleton, embedding and labels, as .mp4 or .gif")


def _add_alarms(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_alarms)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a model folder, models/<name>/<version>")
    places = f"recordings without faults ({' '.join(endings())}), or folders of them"
    parser.add_argument("places", nargs="+", type=Path, metavar="PLACE", help=places)
    parser.add_argument("--version", metavar="N", help="version of the new folder; the next free one when left out")
    parser.add_argument("--out", type=Path, default=Path("models"), metavar="DIR", help="model repository")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the fit")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads on a CPU")


def _add_sign(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_sign)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a model folder, models/<name>/<version>")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="PEM file of an Ed25519 private key")


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_fetch)
    parser.add_argument("set", choices=("cmu-86",), help="CMU subject 86: skeleton and 14 trials, about 90 MB")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument("--base-url", metavar="URL", help="address of a mirror; the official site when left out")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _duration(text: str) -> tuple[str, float]:
    name, _, seconds = text.partition("=")
    try:
        return name, float(seconds)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected NAME=SECONDS, got {text!r}") from None


def _run(options: argparse.Namespace) -> None:
    from motionscribe_training.run import run

    run(options)


def _alarms(options: argparse.Namespace) -> None:
    from motionscribe_training.alarms import fit_alarms

    fit_alarms(options)


def _sign(options: argparse.Namespace) -> None:
    from motionscribe_models.repository import read_bundle
    from motionscribe_models.signature import sign

    read_bundle(options.folder)  # refuses a folder that no server would load
    print(sign(options.folder, options.key))


def _fetch(options: argparse.Namespace) -> None:
    from motionscribe_training.data.fetch import fetch

    paths = fetch(options.set, options.to, options.base_url)
    print(f"{len(paths)} files in {options.to}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 with the reason on standard error, 2 for arguments that are no such command."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = build_parser(arguments[0] if arguments else "").parse_args(arguments)
        options.command(options)
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("motionscribe"):
            raise
        extra = "training" if error.name.partition(".")[0] in TRAINING else "server-cpu"
        print(f"motionscribe-train: {MissingExtraError(extra, error.name)}", file=sys.stderr)
        return 1
    except (ContractError, TrainingError, OSError) as error:
        print(f"motionscribe-train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
