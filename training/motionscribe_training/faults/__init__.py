"""Faults of sensors and of motion, put into recordings that have none: what an anomaly detector is measured with."""
