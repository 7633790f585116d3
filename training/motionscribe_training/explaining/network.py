"""The network of a model folder in torch again, where gradients and the inside of a cell can be had.

In: a verified bundle. Out: the Seq2Seq whose graphs are in it, to the digits of float32. No checkpoint is needed: the
decoder's graph holds every weight.
"""

import torch

from motionscribe_models.repository import ModelBundle
from motionscribe_training.errors import TrainingError
from motionscribe_training.exporting.export import parts_of
from motionscribe_training.exporting.graph import Weights, weights_in
from motionscribe_training.network.seq2seq import Seq2Seq


def network_of(bundle: ModelBundle) -> Seq2Seq:
    """The trained network, in evaluation mode. Raises TrainingError for graphs that another program made."""
    try:
        weights = weights_in(bundle.graphs[bundle.manifest.variants["fp32"].decoder])
    except ValueError as error:
        raise TrainingError(f"{bundle.manifest.name}: cannot be explained: {error}") from error
    return _network(weights)


def untrained(network: Seq2Seq, seed: int) -> Seq2Seq:
    """A network of the same shape and normalisation that has learnt nothing; its PCA is to be fitted anew."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = Seq2Seq(network.features, network.hidden)
    fresh.mean.copy_(network.mean)
    fresh.std.copy_(network.std)
    return fresh.eval()


def _network(weights: Weights) -> Seq2Seq:
    network = Seq2Seq(weights.features, weights.hidden)
    network.pca_components = torch.zeros(weights.projected, weights.hidden)
    with torch.no_grad():
        for name, part in parts_of(network).items():
            part.copy_(torch.from_numpy(getattr(weights, name)))
    return network.eval()
