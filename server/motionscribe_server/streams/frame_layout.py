"""What an owner's frames hold, and how they become those of the model: as they are, or mapped to the canonical body.

In: the Open of a call, then its Frames. Out: blocks of the model's frames. Each call says anew what it sends.
"""

import asyncio
from dataclasses import dataclass

from motionscribe_models.body.mapping import Mapping, body_of, find_mapping
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import LayoutError
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_from_message, skeleton_from_message
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.errors import PreconditionError
from motionscribe_server.streams.catalog import LoadedModel

AT_ONCE = 2000
"""Joints times frames that are mapped while other streams wait: rotations of as many take some 8 ms."""


@dataclass(frozen=True)
class FrameLayout:
    """Of one call."""

    skeleton: Skeleton
    """The sender's, or the model's where frames are as the model wants them."""
    mapping: Mapping | None
    """None where they are."""

    async def read(self, message: pb.Frames) -> FrameBlock:
        """The model's frames; other streams go on while many are mapped. Raises WireError."""
        block = frames_from_message(message, self.skeleton.width, len(self.skeleton.joints))
        if self.mapping is None:
            return block
        if len(block) * len(self.skeleton.joints) <= AT_ONCE:
            values = self.mapping.apply(block.values, block.confidences)
        else:
            values = await asyncio.to_thread(self.mapping.apply, block.values, block.confidences)
        return FrameBlock(block.first_seq, values, block.timestamps_us)


def find_layout(model: LoadedModel, request: pb.Open) -> FrameLayout:
    """Raises PreconditionError where the frames that `request` announces cannot become the model's, and WireError."""
    own = model.manifest.skeleton
    match request.WhichOneof("layout"):
        case "skeleton":
            skeleton = skeleton_from_message(request.skeleton)
            if model.takes_any_body and skeleton.representation != own.representation:
                return FrameLayout(skeleton, _mapping(model, skeleton))
            what = "columns" if own.representation == "features" else "joints"
            _check_same(model.key, what, own.joints, skeleton.joints)
            if skeleton.representation != own.representation:
                raise PreconditionError(
                    f"{model.key}: expected representation {own.representation!r}, got {skeleton.representation!r}"
                )
            _check_tree(model.key, own.parents, skeleton)
        case "features":
            _check_same(model.key, "columns", own.columns, tuple(request.features.names))
        case _:
            raise PreconditionError(
                f"{model.key}: expected a skeleton of {len(own.joints)} joints ({own.representation}) "
                f"or {own.width} column names, got neither"
            )
    return FrameLayout(own, None)


def _mapping(model: LoadedModel, skeleton: Skeleton) -> Mapping:
    body = body_of(skeleton.representation)
    if skeleton.representation != "features" and body.representation != model.manifest.skeleton.representation:
        space, image = "joints in space", "places in an image, which have no depth"
        expected, got = (image, space) if body is BODY else (space, image)
        raise PreconditionError(f"{model.key}: expected {expected}, got {got}: the model {body.name} takes those")
    try:
        return find_mapping(skeleton)
    except LayoutError as error:
        raise PreconditionError(f"{model.key}: {error}") from error


def _check_same(key: str, what: str, expected: tuple[str, ...], got: tuple[str, ...]) -> None:
    if len(expected) != len(got):
        more, less = [name for name in got if name not in expected], [name for name in expected if name not in got]
        differ = "; ".join(
            f"{kind}: {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}"
            for kind, names in (("not expected", more), ("missing", less))
            if names
        )
        raise PreconditionError(f"{key}: expected {len(expected)} {what}, got {len(got)}{differ and f' ({differ})'}")
    for position, (mine, its) in enumerate(zip(expected, got, strict=True)):
        if mine != its:
            raise PreconditionError(f"{key}: expected {mine!r} at position {position} of the {what}, got {its!r}")


def _check_tree(key: str, expected: tuple[int, ...], skeleton: Skeleton) -> None:
    for joint, mine, its in zip(skeleton.joints, expected, skeleton.parents, strict=True):
        if mine != its:
            raise PreconditionError(f"{key}: expected parent {mine} of joint {joint!r}, got {its}")
