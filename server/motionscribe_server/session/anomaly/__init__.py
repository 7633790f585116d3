"""Faults of sensors and of motion, and new behaviour: scores, how rare they are, and the events that come of them."""
