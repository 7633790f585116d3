"""Where is it unsure? The segments of least margin, and those whose label changed most before it was final."""

from collections.abc import Sequence

from motionscribe_training.explaining.failures import failures
from motionscribe_training.explaining.report import Chapter, Table, Text
from motionscribe_training.explaining.watched import Watched


def failures_chapter(watched: Sequence[Watched]) -> Chapter:
    """`watched` have the clusters of their own streams, since it is these whose labels were unsure."""
    found = failures(watched)
    rows = [
        [
            f"{one.recording}, {one.start_s:.1f} to {one.end_s:.1f} s",
            f"{one.cluster} {one.name}".strip(),
            one.why,
            f"{one.margin:.3f}",
            f"{one.revisions:.2f}",
            f"{one.confused_with} {one.confused_name}".strip() if one.confused_with else "-",
            one.action or "",
        ]
        for one in found
    ]
    columns = ("segment", "label", "because of", "margin", "changes", "next nearest", "annotated")
    about = (
        "Margin: how much farther the next centre was than the nearest, in embedding units. Changes: how often the "
        "label of a moment changed before it was final, in the mean. Numbers of clusters are those of each recording's "
        "own stream, not those of the other chapters."
    )
    numbers = {"segments": [{**vars(one), "piece": vars(one.piece)} for one in found]}
    return Chapter("failures", "Where is it unsure?", [Text(about), Table(columns, rows)], numbers)
