"""`motionscribe models`: lists the models of a server, or describes one."""

import argparse
import json
from dataclasses import asdict

from rich.console import Console, Group
from rich.table import Table

from motionscribe.commands.options import add_server, connect
from motionscribe.descriptions import Model
from motionscribe.tables import plain, titled


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("models", help="list or describe models", description=__doc__)
    parser.add_argument("name", nargs="?", metavar="NAME", help="describe this one")
    parser.add_argument("--version", default="latest", help="of NAME (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    add_server(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints to stdout."""
    with connect(args) as client:
        models = [client.describe(args.name, args.version)] if args.name else client.models()
    if args.json:
        for model in models:
            print(json.dumps(asdict(model)))
    else:
        Console().print(_description(models[0]) if args.name else _list(models))


def _list(models: list[Model]) -> Table:
    table = Table()
    for column in ("model", "frames of", "rate", "window", "final after", "runs"):
        table.add_column(column)
    for model in models:
        table.add_row(
            plain(f"{model.name}/{model.version}"),
            f"{len(model.columns)} columns",
            f"{model.rate_hz:g} Hz",
            f"{model.window / model.rate_hz:.2f} s",
            " / ".join(f"{latency_us / 1e6:g}" for latency_us in sorted(model.latency_us.values())) + " s",
            plain(_device(model)),
        )
    return table


def _description(model: Model) -> Group:
    table = Table(show_header=False)
    rows = {
        "what": model.description,
        "skeleton": f"{model.skeleton.name}: {len(model.skeleton.joints)} joints, {model.skeleton.representation}, "
        f"{model.skeleton.up_axis} up, {model.skeleton.units or 'no units'}",
        "columns": f"{len(model.columns)}: {', '.join(model.columns)}",
        "rate": f"{model.rate_hz:g} Hz",
        "window": f"{model.window} frames, every {model.stride}",
        "final after": ", ".join(f"{lag} {model.latency_us[lag] / 1e6:g} s" for lag in sorted(model.latency_us)),
        "network": f"{model.hidden} hidden units, {model.projected} dimensions, {_device(model)}",
        **{name: f"{value:.3f}" for name, value in sorted(model.metrics.items())},
    }
    for name, text in rows.items():
        table.add_row(plain(name), plain(text))
    return titled(f"{model.name}/{model.version}", table)


def _device(model: Model) -> str:
    return f"{model.variant} on {model.provider.removesuffix('ExecutionProvider')}"
