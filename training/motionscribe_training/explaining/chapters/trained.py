"""Is it trained? Separation, label quality and prediction beside untrained networks, and along the checkpoints."""

from collections.abc import Mapping, Sequence

from motionscribe_training.explaining.chapters.explained import Explained, fresh_networks
from motionscribe_training.explaining.checkpoints import Kept
from motionscribe_training.explaining.layers import with_own_pca
from motionscribe_training.explaining.report import Block, Chapter, Numbers, Picture, Table, Text
from motionscribe_training.explaining.seed_consistency import consistency, states_of
from motionscribe_training.explaining.trained import Stage, stage_of, stages
from motionscribe_training.explaining.trained_picture import trained_figure
from motionscribe_training.network.seq2seq import Seq2Seq


def trained_chapter(explained: Explained, kept: Sequence[Kept], beside: Mapping[str, Seq2Seq]) -> Chapter:
    """Whether it is trained; `kept` are networks of its training, `beside` those of other seeds, if there are any."""
    title = "Is it trained?"
    watched, steps = explained.common.watched, explained.steps
    try:
        own = stage_of(explained.network, watched, steps)
    except ValueError as error:
        return Chapter("trained", title, [Text(f"Nothing can be compared: {error}.")])
    controls = [stage_of(one, watched, steps) for one in fresh_networks(explained)]
    series = stages(kept, watched, steps)
    rows = [_stage_row("this network", own)]
    rows += [_stage_row(f"untrained, seed {explained.seed + n}", stage) for n, stage in enumerate(controls)]
    blocks: list[Block] = [
        Text(
            "Separation is scatter between groups over scatter within them (Fisher), of states in groups of k-means "
            "and of segments in their labels. Nearest: the share of segments that are nearest to the mean of other "
            "segments of their label. The error is that of prediction on these recordings; an untrained network "
            "repeats the last frame."
        ),
        Text(_trained_finding(own, controls), finding=True),
        Table(("network", "separation", "of labels", "nearest", "k-means against labels", "error"), rows),
    ]
    if series:
        caption = "Along the training: separation, stability of groups from one checkpoint to the next, errors."
        blocks.append(Picture("trained", trained_figure([series], controls), caption))
    else:
        blocks.append(Text("Its training kept no networks (run --keep-checkpoints), so that its course is not known."))
    agreements = _agreements(explained, beside)
    if agreements:
        blocks += _seeds(agreements)
    numbers: Numbers = {"network": _stage_numbers(own), "untrained": [*map(_stage_numbers, controls)]}
    numbers |= {"checkpoints": [*map(_stage_numbers, series)], "agreement": agreements}
    return Chapter("trained", title, blocks, numbers)


def _agreements(explained: Explained, beside: Mapping[str, Seq2Seq]) -> Numbers:
    """R2 from this network's states to those of each other one, and between two that learnt nothing.

    Nothing without another network or a second recording.
    """
    watched, steps = explained.common.watched, explained.steps
    if not beside or len(watched) < 2:
        return {}
    projected = len(explained.network.pca_components)
    first, second = (
        states_of(with_own_pca(one, watched, steps, projected), watched, steps) for one in fresh_networks(explained)[:2]
    )
    own = states_of(explained.network, watched, steps)
    others = {name: states_of(network, watched, steps) for name, network in beside.items()}
    found = {name: consistency(own, states).r2 for name, states in others.items()}
    return found | {"untrained networks": consistency(first, second).r2}


def _seeds(agreements: Numbers) -> list[Block]:
    about = (
        "Agreement (R2): how much of another network's states is a linear map of this one's, on recordings that the "
        "map was not fitted to. Networks that learnt nothing agree, too: they see the same motion."
    )
    return [Text(about), Table(("with", "R2"), [[name, f"{r2:.2f}"] for name, r2 in agreements.items()])]


def _trained_finding(own: Stage, controls: Sequence[Stage]) -> str:
    predicts = all(own.error < stage.error for stage in controls)
    parts = all(own.pieces.fisher > stage.pieces.fisher for stage in controls)
    return (
        f"It predicts {'better' if predicts else 'no better'} than repeating the last frame, and its states "
        f"part the labels {'more' if parts else 'no more'} than those of {len(controls)} untrained networks."
    )


def _stage_row(name: str, stage: Stage) -> list[str]:
    numbers = (stage.states.fisher, stage.pieces.fisher, stage.quality, stage.agreement, stage.error)
    return [name, *(f"{number:.3f}" for number in numbers)]


def _stage_numbers(stage: Stage) -> Numbers:
    return {
        "iteration": stage.point.iteration if stage.point else None,
        "states_fisher": stage.states.fisher,
        "pieces_fisher": stage.pieces.fisher,
        "nearest": stage.quality,
        "agreement": stage.agreement,
        "stability": stage.stability,
        "error": stage.error,
    }
