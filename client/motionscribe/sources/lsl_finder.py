"""Which streams of Lab Streaming Layer are here."""

import time
from typing import Any

from motionscribe.errors import NotFound
from motionscribe.lab_streaming import load_pylsl
from motionscribe.sources.finding import Found
from motionscribe.sources.lsl_channels import read_places

LOOKING = 0.8
"""Share of the time in which streams are found; in the rest they are asked what they have."""


def find_lsl(seconds: float) -> list[Found]:
    """Streams of numbers. Raises MissingExtraError."""
    pylsl = load_pylsl()
    end_s = time.monotonic() + seconds
    streams = [info for info in pylsl.resolve_streams(LOOKING * seconds) if info.channel_format() != pylsl.cf_string]
    named = {info.name(): info for info in streams}
    return [
        Found(
            name,
            f"{info.type() or 'no type'}, {info.channel_count()} channels, from {info.hostname()}",
            _joints(info, end_s - time.monotonic()),
            info.nominal_srate(),
        )
        for name, info in sorted(named.items())
    ]


def _joints(info: Any, seconds: float) -> int:
    """How many joints a stream has; 0 where it does not say so in time."""
    try:
        places = read_places(info, seconds) if seconds > 0 else None
    except NotFound:
        return 0
    return len(places.columns.joints) if places else 0
