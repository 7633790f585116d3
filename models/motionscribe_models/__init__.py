"""The contract between trainer and server: skeletons, features, pooling, and the model folder."""
