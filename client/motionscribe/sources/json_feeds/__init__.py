"""Joints as JSON, over UDP or a WebSocket: what a program of one's own sends."""
