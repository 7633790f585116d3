"""The annotation of the beginning of a recording."""

from motionscribe_training.data.annotations import Annotation


def first_of(annotation: Annotation | None, frames: int) -> Annotation:
    """Of its first `frames` frames."""
    assert annotation is not None
    segments = [one._replace(end=min(one.end, frames)) for one in annotation.segments if one.start < frames]
    return Annotation(tuple(segments), annotation.boundaries[: len(segments) - 1])
