"""Labelled recordings through a model: scores, tables, pictures and films."""
