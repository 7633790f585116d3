"""What a sender of Lab Streaming Layer says of its channels: read from its description, and written into one."""

from collections.abc import Mapping, Sequence
from typing import Any

from motionscribe.errors import NotFound
from motionscribe.lab_streaming import load_pylsl
from motionscribe_models.recordings.channels import PlaceChannels, place_channels

FIELDS = ("label", "marker", "object", "type", "unit")


def read_places(info: Any, seconds: float) -> PlaceChannels | None:
    """Which channels of the stream that was found as `info` are places. None where its description names none.

    Raises NotFound where the sender does not describe it within so many seconds.
    """
    pylsl = load_pylsl()
    try:
        # what finds a stream brings no description
        full = pylsl.StreamInlet(info, recover=False).info(seconds)
    except (pylsl.util.TimeoutError, pylsl.util.LostError):
        raise NotFound(f"expected {info.name()} to describe its channels within {seconds:g} s, got nothing") from None
    channels: list[dict[str, str]] = []
    channel = full.desc().child("channels").child("channel")
    while not channel.empty() and len(channels) <= full.channel_count():
        channels.append({field: channel.child_value(field).strip() for field in FIELDS})
        channel = channel.next_sibling("channel")
    return place_channels(channels) if len(channels) == full.channel_count() else None


def write_channels(info: Any, channels: Sequence[Mapping[str, str]]) -> None:
    """Adds the fields of each channel to the description of an outlet that is not there yet."""
    described = info.desc().append_child("channels")
    for fields in channels:
        channel = described.append_child("channel")
        for field, value in fields.items():
            channel.append_child_value(field, value)
