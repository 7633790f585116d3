"""Qualisys Track Manager, by its real-time server."""
