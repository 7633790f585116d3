"""Segments and alarms as an annotation file of ELAN, `.eaf` of format 3.0: tiers over one time in milliseconds.

A stream is a tier of its labels and one tier for each kind of alarm, since annotations of one tier may not overlap.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from motionscribe.events import Event
from motionscribe.sinks.annotations import Span, annotations
from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.record import spans_of
from motionscribe.sinks.whole_file import save_whole
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
TYPE = "default-lt"


def write_elan(path: Path | str, streams: Mapping[str, Sequence[Event]], zero_us: int | None = None) -> None:
    """Writes what has ended in all streams, by title. Time zero is `zero_us`, else that of each stream's first span.

    The header says for each stream which time that is. Raises OSError.
    """
    stated: dict[str, str] = {}
    tiers: dict[str, tuple[str, Sequence[Span]]] = {}
    for title, events in streams.items():
        shown, found = _text(title), annotations(events, zero_us)
        stated[shown] = found.zero
        tiers[f"{shown}: labels"] = shown, found.labels
        tiers |= {f"{shown}: {_text(kind)}": (shown, spans) for kind, spans in found.alarms.items()}
    document = Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "motionscribe",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": SCHEMA,
        },
    )
    header = SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    for shown, zero in stated.items():
        SubElement(header, "PROPERTY", NAME=f"{shown}: time zero").text = zero
    slots = _add_times(document, [span for _, spans in tiers.values() for span in spans])
    number = 0
    for name, (participant, spans) in tiers.items():
        tier = SubElement(document, "TIER", LINGUISTIC_TYPE_REF=TYPE, PARTICIPANT=participant, TIER_ID=name)
        for span in spans:
            number += 1
            times = {"TIME_SLOT_REF1": slots[span.start_ms], "TIME_SLOT_REF2": slots[span.end_ms]}
            annotation = SubElement(SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", times)
            annotation.set("ANNOTATION_ID", f"a{number}")
            SubElement(annotation, "ANNOTATION_VALUE").text = _text(span.text)
    SubElement(document, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID=TYPE, TIME_ALIGNABLE="true")
    indent(document)
    with new_file(path) as beside:
        ElementTree(document).write(beside, "utf-8", xml_declaration=True)


def save_elan(path: str) -> AbstractContextManager[MakeSink]:
    """A sink that keeps such a file. Raises as `save_whole`."""
    return save_whole(path, lambda place, records: write_elan(place, spans_of(records)))


def _text(text: str) -> str:
    """Text as XML may hold it: two code points are characters of no language, and forbidden."""
    return escape(text).translate({0xFFFE: "\ufffd", 0xFFFF: "\ufffd"})


def _add_times(document: Element, spans: Sequence[Span]) -> Mapping[int, str]:
    """Milliseconds -> the id of the slot that has them."""
    order = SubElement(document, "TIME_ORDER")
    times = sorted({time_ms for span in spans for time_ms in (span.start_ms, span.end_ms)})
    slots = {time_ms: f"ts{number}" for number, time_ms in enumerate(times, 1)}
    for time_ms, slot in slots.items():
        SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(time_ms))
    return slots
