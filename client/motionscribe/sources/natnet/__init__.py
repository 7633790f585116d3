"""OptiTrack Motive, by NatNet."""
