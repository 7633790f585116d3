"""`motionscribe sources`: what is streaming here, and the command that takes it."""

import argparse
import shlex

from rich.console import Console
from rich.table import Column, Table

from motionscribe.commands.options import positive
from motionscribe.sources import schemes
from motionscribe.sources.finding import find_all
from motionscribe.tables import plain
from motionscribe_models.errors import MissingExtraError

SECONDS = 2.5
"""Three in all, with the time that a finder may take longer."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("sources", help="find what is streaming here", description=__doc__)
    parser.add_argument(
        "--seconds", type=positive, default=SECONDS, metavar="S", help="how long to look (default: %(default)g)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints what was found, and what could not be looked for."""
    finders = {scheme.name: scheme.find for scheme in schemes.SCHEMES if scheme.finder or scheme.usual}
    outcomes = find_all(finders, args.seconds)
    table = Table(Column("command", overflow="fold"), "what it is", "joints", "Hz")  # none is cut: it is to be copied
    remarks = []
    missing: dict[str, str] = {}
    for name, outcome in outcomes.items():
        if isinstance(outcome, MissingExtraError):
            missing[name] = outcome.extra
            continue
        if isinstance(outcome, str):
            remarks.append(f"{name}: could not look: {outcome}")
            continue
        for found in outcome:
            text = f"{name}:{found.address}"
            if not found.usable:
                remarks.append(f"{text}: {found.description}")
                continue
            joints, rate = str(found.joints or ""), f"{found.rate_hz:.0f}" if found.rate_hz else ""
            command = f"motionscribe stream {shlex.quote(text)}"
            table.add_row(*(plain(cell) for cell in (command, found.description, joints, rate)))
    console = Console()
    if table.row_count:
        console.print(table)
    else:
        print(f"nothing is streaming here that {', '.join(name for name in outcomes if name not in missing)} can hear")
    for remark in remarks:
        console.print(plain(remark))
    if missing:
        extras = ",".join(sorted(set(missing.values())))
        text = f'not looked for: {", ".join(missing)}, which pip install "motionscribe[{extras}]" adds'
        console.print(plain(text, "dim"))
