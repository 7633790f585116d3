"""The network, its training, checkpoints and loss curve."""
