"""Where events go: JSON lines, a live table in the terminal, a CSV of segments, an ethogram picture."""

from motionscribe.sinks.ethogram import draw_ethogram
from motionscribe.sinks.jsonlines import JsonLines, read_events
from motionscribe.sinks.segments import write_segments
from motionscribe.sinks.terminal import Terminal

__all__ = ["JsonLines", "Terminal", "draw_ethogram", "read_events", "write_segments"]
