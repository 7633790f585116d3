"""Live feeds and sinks on loopback: how long a frame takes to a label, and a label to whoever waits for it."""
