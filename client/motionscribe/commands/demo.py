"""`motionscribe demo`: a synthetic performance, from server to picture, compared with the truth.

Exit code 0 where accuracy and anomaly are as they should be, else 1 with what is missing. Needs the extras `server-cpu`
and `report`, with --page also `page`, which are imported when it runs.
"""

import argparse
import sys
from pathlib import Path

from motionscribe.commands.options import PICTURES, picture, whole
from motionscribe_models.lags import LAGS, Lag
from motionscribe_models.shipped import shipped_models

# beside client/ in a checkout, which an editable install leads back to
# times real time: labels can still be followed by eye
SPEED = 8.0
# final segments are scored; performers 0 to 4 reach 0.85 to 0.88
LAG: Lag = "stable"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    about = "a synthetic performance, from server to picture"
    parser = commands.add_parser("demo", help=about, description=f"{about.capitalize()}.")
    parser.add_argument(
        "--realtime",
        action="store_const",
        const=1.0,
        default=SPEED,
        dest="speed",
        help=f"at its own pace (default: {SPEED:g} times that)",
    )
    parser.add_argument(
        "--lag", choices=LAGS, default=LAG, help="how long until a label is final (default: %(default)s)"
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="another performer (default: %(default)s)")
    parser.add_argument(
        "--models",
        type=Path,
        default=shipped_models(),
        metavar="DIR",
        help="folder of models (default: the package's)",
    )
    parser.add_argument(
        "--picture",
        type=picture,
        default=Path("motionscribe-demo.png"),
        metavar="FILE",
        help=f"truth and labels, {' '.join(PICTURES)}; replaced where it exists (default: %(default)s)",
    )
    parser.add_argument(
        "--page", action="store_true", help="show it in a browser instead, again and again, at its own pace"
    )
    parser.add_argument("--port", type=whole, default=8080, help="of the page, 0 for any (default: %(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints to stdout, what is missing to stderr; returns the exit code."""
    from motionscribe.demo.broadcast import broadcast
    from motionscribe.demo.demonstration import demonstrate

    if args.page:
        broadcast(args.models, args.port, seed=args.seed, speed=1.0)
    missing = demonstrate(args.models, args.picture, seed=args.seed, lag=args.lag, speed=args.speed)
    for text in missing:
        print(f"motionscribe demo: expected {text}", file=sys.stderr)
    return 1 if missing else 0
