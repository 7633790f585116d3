"""What a session needs besides the network: PCA, embedding, first clusters, thresholds. Learnt without labels."""
