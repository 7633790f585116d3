"""Anomalies: how many faults are found in recordings that the model has not seen."""
