"""Converts frames (K, D), events and skeletons to protobuf messages and back; server and client use it.

Blocks of K frames travel as little-endian float32 bytes, labels of equal finality as packed arrays; every other event
is a message of its own. The form of a received message is checked (WireError says what was expected and what came).
Values are not: NaN, times or seq that run backwards are for the server's session to reject.
"""

import dataclasses
import math
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_models.lags import Lag
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import KINDS, Anomaly, Degraded, Event, Label
from motionscribe_proto.frames import FrameBlock, WireError
from motionscribe_proto.verdicts import Verdict

WIRE_FLOAT = np.dtype("<f4")
INT64 = range(-(2**63), 2**63)

EVENTS = {re.sub("(?<!^)(?=[A-Z])", "_", name).lower(): kind for name, kind in KINDS.items() if kind is not Label}
"""Field of pb.Event -> event class; both have the same fields inside. Labels are packed and stand apart."""
FIELD_OF = {kind: field for field, kind in EVENTS.items()}
LAG_NUMBERS: dict[Lag, pb.Lag] = {"fast": pb.LAG_FAST, "balanced": pb.LAG_BALANCED, "stable": pb.LAG_STABLE}
VERDICT_NUMBERS: dict[Verdict, pb.Verdict] = {
    "none": pb.VERDICT_NONE,
    "normal": pb.VERDICT_NORMAL,
    "fault": pb.VERDICT_FAULT,
}


def frames_to_message(block: FrameBlock) -> pb.Frames:
    """A block as a message; even times become a start and a step where that says exactly the same."""
    message = pb.Frames(first_seq=block.first_seq, values=block.values.astype(WIRE_FLOAT, copy=False).tobytes())
    step_us = _even_step(block.timestamps_us)
    if step_us is None:
        message.timestamps_us.extend(block.timestamps_us.tolist())
    else:
        message.start_us = int(block.timestamps_us[0])
        message.step_us = step_us
    if block.confidences is not None:
        message.confidences = block.confidences.astype(WIRE_FLOAT, copy=False).tobytes()
    return message


def frames_from_message(message: pb.Frames, width: int, joints: int) -> FrameBlock:
    """The inverse, for a layout of `width` columns and `joints` joints. The arrays are read-only views of the message.

    Raises WireError for values that are no multiple of width, no frames, first_seq 0, a time count other than K, a step
    that leaves int64, or confidences that are not K * joints.
    """
    values, cut = divmod(len(message.values), 4)
    if cut:
        raise WireError(f"expected float32 values, 4 bytes each, got {len(message.values)} bytes")
    K, rest = divmod(values, width)
    if rest:
        told = len(message.timestamps_us)  # as many as there are frames
        got = str(values // told) if told and values % told == 0 else f"{values} in all"
        raise WireError(f"expected {width} values a frame, got {got}")
    if K == 0:
        raise WireError("expected one frame or more, got none")
    if message.timestamps_us:
        if len(message.timestamps_us) != K:
            raise WireError(f"expected {K} times for {K} frames, got {len(message.timestamps_us)}")
        times = np.array(message.timestamps_us, dtype=np.int64)
    else:
        times = _stepped_times(message.start_us, message.step_us, K)
    confidences = None
    if message.confidences:
        if len(message.confidences) != 4 * K * joints:
            raise WireError(
                f"expected {K} x {joints} float32 confidences, {4 * K * joints} bytes, "
                f"got {len(message.confidences)} bytes"
            )
        confidences = _floats(message.confidences).reshape(K, joints)
    return FrameBlock(message.first_seq, _floats(message.values).reshape(K, width), times, confidences)


def _floats(data: bytes) -> NDArray[np.float32]:
    return np.frombuffer(data, WIRE_FLOAT).astype(np.float32, copy=False)


def _stepped_times(start_us: int, step_us: float, K: int) -> NDArray[np.int64]:
    """start_us + round(k * step_us) for k < K, halves to even."""
    span = (K - 1) * step_us
    if not math.isfinite(span) or start_us + round(span) not in INT64 or round(span) not in INT64:
        raise WireError(f"expected start_us and step_us within int64, got {start_us} and {step_us}")
    times: NDArray[np.int64] = start_us + np.rint(np.arange(K) * step_us).astype(np.int64)
    return times


def _even_step(times: NDArray[np.int64]) -> float | None:
    """The step with which _stepped_times gives exactly these times, None where there is none."""
    K = len(times)
    if K == 1:
        return 0.0
    # beyond 2**53 a float has no room for microseconds
    if not 0 < int(times[-1]) - int(times[0]) < 2**53:
        return None
    after_start = (times[1:] - times[0]).astype(np.float64)
    k = np.arange(1, K)
    # round(k * step) == after_start bounds the step from both sides
    low, high = np.max((after_start - 0.5) / k), np.min((after_start + 0.5) / k)
    step_us = float((low + high) / 2)
    if low > high or not np.array_equal(_stepped_times(int(times[0]), step_us, K), times):
        return None
    return step_us


def events_to_messages(events: Sequence[Event]) -> list[pb.Event]:
    """Events in their order; neighbouring labels of equal finality share one Labels message."""
    messages: list[pb.Event] = []
    for event in events:
        if isinstance(event, Label):
            if not messages or not messages[-1].HasField("labels") or messages[-1].labels.final != event.final:
                messages.append(pb.Event(labels=pb.Labels(final=event.final)))
            packed = messages[-1].labels
            packed.start_seq.append(event.start_seq)
            packed.end_seq.append(event.end_seq)
            packed.start_us.append(event.start_us)
            packed.end_us.append(event.end_us)
            packed.cluster.append(event.cluster)
            packed.stability.append(event.stability)
        else:
            messages.append(_event_to_message(event))
    return messages


def events_from_messages(messages: Iterable[pb.Event]) -> list[Event]:
    """The inverse of events_to_messages. Raises WireError for arrays of unequal length and for unknown kinds."""
    events: list[Event] = []
    for message in messages:
        if message.HasField("labels"):
            events.extend(_labels_from_message(message.labels))
        else:
            events.append(_event_from_message(message))
    return events


def _labels_from_message(packed: pb.Labels) -> list[Label]:
    arrays = (packed.start_seq, packed.end_seq, packed.start_us, packed.end_us, packed.cluster, packed.stability)
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) != 1:
        raise WireError(f"expected packed labels of one length, got {lengths}")
    return [
        Label(start_seq, end_seq, start_us, end_us, cluster, stability, packed.final)
        for start_seq, end_seq, start_us, end_us, cluster, stability in zip(*arrays, strict=True)
    ]


def _event_to_message(event: Event) -> pb.Event:
    values = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    message: dict[str, Any] = {FIELD_OF[type(event)]: values}
    return pb.Event(**message)


def _event_from_message(message: pb.Event) -> Event:
    field = message.WhichOneof("event")
    if field is None:
        raise WireError("expected an event of a known kind, got none: is the other side newer?")
    kind, content = EVENTS[field], getattr(message, field)
    values = {item.name: getattr(content, item.name) for item in dataclasses.fields(kind)}
    if kind is Anomaly or kind is Degraded:
        values["joints"] = tuple(values["joints"])
    if kind is Anomaly:
        values["deviations"] = tuple(values["deviations"])
        joints, deviations = len(values["joints"]), len(values["deviations"])
        if joints != deviations:
            raise WireError(f"expected one deviation per joint, {joints}, got {deviations}")
    return kind(**values)


def skeleton_to_message(skeleton: Skeleton) -> pb.Skeleton:
    """A skeleton as a message."""
    return pb.Skeleton(
        name=skeleton.name,
        joints=skeleton.joints,
        parents=skeleton.parents,
        representation=skeleton.representation,
        units=skeleton.units,
        up_axis=skeleton.up_axis,
        rate_hz=skeleton.rate_hz,
        metres_per_unit=skeleton.metres_per_unit,
        inverted=skeleton.inverted,
        offsets=chain.from_iterable(skeleton.offsets),
        axes=chain.from_iterable(skeleton.axes),
        left_handed=skeleton.left_handed,
        tilted=not skeleton.level,
    )


def skeleton_from_message(message: pb.Skeleton) -> Skeleton:
    """The inverse. What a peer may leave out has a default: metres, y up, the rate that Open says.

    Raises WireError for what is no skeleton.
    """
    try:
        return Skeleton(
            name=message.name,
            joints=tuple(message.joints),
            parents=tuple(message.parents),
            representation=message.representation,
            units=message.units,
            metres_per_unit=message.metres_per_unit or 1.0,
            up_axis=message.up_axis or "y",
            rate_hz=message.rate_hz or 1.0,
            inverted=message.inverted,
            offsets=_vectors("offsets", message.offsets),
            axes=_vectors("axes", message.axes),
            left_handed=message.left_handed,
            level=not message.tilted,
        )
    except LayoutError as error:
        raise WireError(str(error)) from error


def _vectors(name: str, numbers: Sequence[float]) -> tuple[tuple[float, float, float], ...]:
    if len(numbers) % 3:
        raise WireError(f"expected x y z per joint as {name}, got {len(numbers)} numbers")
    return tuple(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))
