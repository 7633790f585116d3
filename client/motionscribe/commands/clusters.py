"""`motionscribe clusters`: lists, shows, names, merges and splits the clusters of a stream, and forgets it."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from motionscribe.commands.options import add_server, connect
from motionscribe.descriptions import Cluster
from motionscribe.errors import BadFile
from motionscribe.sinks.clips import clips_gif
from motionscribe.tables import plain
from motionscribe_models.new_file import new_file


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command and its verbs."""
    parser = commands.add_parser(
        "clusters", help="list, show, name, merge and split clusters, or forget a stream", description=__doc__
    )
    verbs = parser.add_subparsers(title="verbs", required=True)
    listing = verbs.add_parser("list", help="the clusters of a stream")
    showing = verbs.add_parser("show", help="what a cluster looks like")
    renaming = verbs.add_parser("rename", help="name a cluster")
    merging = verbs.add_parser("merge", help="make clusters part of another")
    splitting = verbs.add_parser("split", help="undo the merge of a cluster")
    forgetting = verbs.add_parser("forget", help="delete all that the server keeps of a stream")
    for verb, run in (
        (listing, run_list),
        (showing, run_show),
        (renaming, run_rename),
        (merging, run_merge),
        (splitting, run_split),
        (forgetting, run_forget),
    ):
        verb.add_argument("stream", metavar="STREAM", help="its id")
        add_server(verb)
        verb.set_defaults(run=run)
    listing.add_argument("--all", action="store_true", help="also those of the model that the stream has never shown")
    showing.add_argument("cluster", type=_cluster, metavar="CLUSTER")
    showing.add_argument("--gif", type=Path, metavar="FILE", help="its clips as a moving picture")
    showing.add_argument("--replace", action="store_true", help="write over a file that exists")
    splitting.add_argument("cluster", type=_cluster, metavar="CLUSTER")
    for verb in (listing, showing, renaming, merging, splitting):
        verb.add_argument("--json", action="store_true", help="print JSON lines")
    renaming.add_argument("cluster", type=_cluster, metavar="CLUSTER")
    renaming.add_argument("name", metavar="NAME", help="empty takes the name away")
    merging.add_argument("clusters", type=_cluster, nargs="+", metavar="CLUSTER")
    merging.add_argument("--into", type=_cluster, required=True, metavar="CLUSTER", help="the one that stays")


def run_list(args: argparse.Namespace) -> None:
    """Prints to stdout."""
    with connect(args) as client:
        clusters = client.clusters(args.stream)
    shown = [cluster for cluster in clusters if args.all or _is_of_stream(cluster)]
    _print(shown, args.json)
    if not args.json and len(shown) < len(clusters):
        print(f"{len(clusters) - len(shown)} more came with the model and have not been seen: --all")


def run_show(args: argparse.Namespace) -> None:
    """Prints the cluster and how many clips there are of it; writes the picture that was asked for."""
    if args.gif and args.gif.suffix != ".gif":
        raise BadFile(f"expected a file .gif for --gif, got {args.gif}")
    if args.gif and args.gif.is_file() and not args.replace:
        raise BadFile(f"expected a new file for --gif, got {args.gif}, which exists: add --replace")
    with connect(args) as client:
        exemplars = client.exemplars(args.stream, args.cluster)
        shown = [cluster for cluster in client.clusters(args.stream) if cluster.id == args.cluster]
    if args.gif:
        with new_file(args.gif) as beside:
            beside.write_bytes(clips_gif(exemplars))
    _print(shown, args.json)
    if not args.json:
        own = sum(clip.start_us is not None for clip in exemplars.clips)
        of_model = f", {len(exemplars.clips) - own} of the model's recordings" if own < len(exemplars.clips) else ""
        print(f"{own} clips of this stream{of_model}")


def run_rename(args: argparse.Namespace) -> None:
    """Prints the cluster as it is now."""
    with connect(args) as client:
        _print([client.rename(args.stream, args.cluster, args.name)], args.json)


def run_merge(args: argparse.Namespace) -> None:
    """Prints the cluster that stays."""
    with connect(args) as client:
        _print([client.merge(args.stream, args.clusters, args.into)], args.json)


def run_split(args: argparse.Namespace) -> None:
    """Prints the cluster that stands for itself again."""
    with connect(args) as client:
        _print([client.split(args.stream, args.cluster)], args.json)


def run_forget(args: argparse.Namespace) -> None:
    """Prints nothing."""
    with connect(args) as client:
        client.forget(args.stream)


def _cluster(text: str) -> int:
    """An argparse type: an id as the wire can carry it."""
    number = int(text)
    if not 0 < number < 2**32:
        raise ValueError(text)
    return number


def _is_of_stream(cluster: Cluster) -> bool:
    """Seen, made, named or merged there."""
    return not cluster.warm or bool(cluster.last_seen_us or cluster.segments or cluster.name or cluster.merged_into)


def _print(clusters: Sequence[Cluster], as_json: bool) -> None:
    if as_json:
        for cluster in clusters:
            print(json.dumps(asdict(cluster)))
        return
    table = Table()
    for column in ("cluster", "name", "segments", "seconds", "weight", ""):
        table.add_column(column, justify="left" if column in ("name", "") else "right")
    for cluster in clusters:
        notes = [f"part of {cluster.merged_into}"] if cluster.merged_into else []
        notes += ["came with the model"] if cluster.warm else []
        notes += ["name guessed"] if cluster.guessed else []
        table.add_row(
            str(cluster.id),
            plain(cluster.name),
            str(cluster.segments),
            f"{cluster.seconds:.1f}",
            f"{cluster.weight:.1f}",
            ", ".join(notes),
        )
    Console().print(table)
