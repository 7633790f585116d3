"""Explanations: how the network sees actions, whether maps are true of it, and what a live one costs."""
