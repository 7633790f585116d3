"""The actions that annotators of subject 86 told apart, which a model has seen, and when a recording shows them.

Annotators spell one action in several ways, and recordings of single actions have no annotation but their file name or
the catalogue of CMU: the table says what shows the same. Standing about is in every recording and no action here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.anomaly.folds import files_of
from benchmarks.blind.folds import TRIALS
from motionscribe_models.arrays import Array
from motionscribe_models.recordings import Recording
from motionscribe_training.data.annotations import Annotation, find_annotation

SOURCES = (*TRIALS, "mocap6")
"""What may be left out as a whole."""


@dataclass(frozen=True)
class Action:
    """What shows one action."""

    names: tuple[str, ...]
    """Of annotators."""
    singles: tuple[str, ...] = ()
    """Names of recordings of single actions, with `*`: those of CMU subject 01 climb, hang, jump and sit on a frame."""


ACTIONS = {
    "run": Action(("run", "jog"), ("running_*", "soccer_*", "02_03")),
    "jump": Action(("jump", "jump_forward", "jump_up", "jumpjack"), ("jumping_*", "02_04", "01_*")),
    "hop": Action(("jump_on_left_leg", "jump_on_right_leg")),
    "kick": Action(("leg_kick",), ("soccer_*",)),
    "punch": Action(("punch", "box"), ("02_05",)),
    "swing_arms": Action(("arm_circling", "rotate_arms", "both_arms_rotations", "one_arm_rotations", "armcircle")),
    "turn_body": Action(("rotate_body", "twist")),
    "clap": Action(("clapping", "standing_and_clapping")),
    "look": Action(("look_around", "looking_around")),
    "climb": Action(("climb_up", "climb_down"), ("01_*",)),
    "sit": Action(("sitting",), ("01_*",)),
    "lean": Action(("stand_in_inclined_position",), ("02_06",)),
}


def action_of(name: str) -> str:
    """The action that an annotator's name stands for; one that is in no line is its own."""
    return next((action for action, own in ACTIONS.items() if name in own.names), name)


def shown_in(sources: Sequence[str], data: Path) -> set[str]:
    """The actions that trials, or "mocap6", show."""
    return {name for source in sources for name in _shown(source, data)}


def left_out_for(action: str, data: Path) -> tuple[str, ...]:
    """Everything that shows an action: trials, "mocap6", names of single actions."""
    return (*(source for source in SOURCES if action in _shown(source, data)), *ACTIONS[action].singles)


def known_without(left_out: Sequence[str], data: Path) -> set[str]:
    """The actions that a model has seen in recordings with annotation."""
    return shown_in([source for source in SOURCES if source not in left_out], data)


def actions_at(annotation: Annotation, recording: Recording, ends_s: Array) -> list[str]:
    """What a recording shows at the end of each moment, "" where nothing is annotated."""
    frames = len(recording.frames)
    labels = annotation.labels(frames)
    at = np.clip(np.round(ends_s * recording.skeleton.rate_hz).astype(int) - 1, 0, frames - 1)
    names = annotation.names
    return [action_of(names[label]) if label >= 0 else "" for label in labels[at].tolist()]


def annotation_of(path: Path) -> Annotation:
    """Raises ValueError where a recording has none."""
    annotation = find_annotation(path)
    if annotation is None:
        raise ValueError(f"{path}: expected an annotation")
    return annotation


@cache
def _shown(source: str, data: Path) -> frozenset[str]:
    names = [annotation_of(path).names for path in files_of((source,), data)]
    return frozenset(action_of(name) for own in names for name in own)
