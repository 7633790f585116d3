"""What does the embedding look like? The curves of encoder and decoder, to be turned, and a film of one recording."""

from motionscribe_training.evaluation.pictures import COLOURS
from motionscribe_training.explaining.chapters.explained import Explained
from motionscribe_training.explaining.embedding_paths import LONG_S, embedding_paths
from motionscribe_training.explaining.report import Chapter, Curves, Text


def embedding_chapter(explained: Explained) -> Chapter:
    """The first three components of the network's PCA."""
    found = embedding_paths(explained.network, explained.common.watched, explained.model.manifest.rate_hz)
    labels = list(dict.fromkeys(path.label for path in found))
    colours = {label: COLOURS[number % len(COLOURS)] for number, label in enumerate(labels)}
    curves = [
        {
            "label": path.label,
            "colour": colours[path.label],
            "encoder": path.encoder.round(3).tolist(),
            "decoder": path.decoder.round(3).tolist(),
        }
        for path in found
    ]
    title = "What does the embedding look like?"
    about = Text(
        "Each segment is two curves in the first three components of the decoder states: thin, the encoder's way "
        f"through it; dashed, where the decoder goes by itself in {LONG_S:g} s from its middle. Where dashed curves of "
        "one colour end together, the action is an attractor of the network. Turn it with the mouse, a finger or "
        "the arrow keys; the wheel brings it nearer."
    )
    if not curves:
        return Chapter("embedding", title, [Text("There is no segment with a label.")])
    components = len(explained.network.pca_components)
    return Chapter(
        "embedding",
        title,
        [about, Curves(curves, f"{len(curves)} segments in the first three of {components} components.")],
        {"segments": len(curves), "labels": labels},
    )
