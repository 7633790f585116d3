"""Tests, in the folders of what they test; support holds what several of them use."""
