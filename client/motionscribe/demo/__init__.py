"""The demo: a synthetic performance with known truth, streamed to a server of its own, scored and drawn."""
