"""What all streams of `motionscribe stream` have in common: options of the command, and what is said of them first."""

import argparse
import sys
from pathlib import Path
from typing import Any

from motionscribe.descriptions import Opened
from motionscribe.feed_clock import FeedClock
from motionscribe.sinks import StreamInfo
from motionscribe_models.body.mapping import NOT_THERE
from motionscribe_proto.names import escape


def stream_options(args: argparse.Namespace) -> dict[str, Any]:
    """Arguments of Client.stream and AsyncClient.stream but for source, id and pace."""
    return {
        "model": args.model,
        "version": args.version,
        "lag": args.lag,
        "provisional": not args.no_provisional,
        "false_alarms_per_hour": args.false_alarms_per_hour,
        "anomaly_scores": args.anomaly_scores,
        "durable": args.durable,
    }


def introduce(text: str, opened: Opened, clock: FeedClock | None) -> StreamInfo:
    """What sinks are told of the stream of the source `text`. Joints that are not there are told on standard error."""
    title = (
        f"{opened.stream_id}: {Path(text).name} on {opened.model.name}/{opened.model.version}, "
        f"final after {opened.latency_us / 1e6:.1f} s"
    )
    for line in opened.mapping:
        if line.endswith(NOT_THERE):
            print(escape(f"{text}: {line}"), file=sys.stderr)
    return StreamInfo(opened.stream_id, title, {cluster.id: cluster.name for cluster in opened.clusters}, clock=clock)
