"""Where events go: sinks take them one by one (JSON lines, a table in the terminal), reports take whole streams.

base.py says what a sink is, addresses.py lists them for `--to`, relay.py brings events to receivers on a network.
Reports: a CSV of segments, files of ELAN and BORIS, an ethogram picture, an HTML page.
"""

from motionscribe.sinks.base import MakeSink, Sink, StreamInfo
from motionscribe.sinks.boris import write_boris
from motionscribe.sinks.elan import write_elan
from motionscribe.sinks.ethogram import draw_ethogram
from motionscribe.sinks.html_report import write_html
from motionscribe.sinks.jsonlines import JsonLines, write_lines
from motionscribe.sinks.saved_events import read_events
from motionscribe.sinks.saved_explanations import read_explanations
from motionscribe.sinks.segments import write_segments
from motionscribe.sinks.terminal import Terminal

__all__ = [
    "JsonLines",
    "MakeSink",
    "Sink",
    "StreamInfo",
    "Terminal",
    "draw_ethogram",
    "read_events",
    "read_explanations",
    "write_boris",
    "write_elan",
    "write_html",
    "write_lines",
    "write_segments",
]
