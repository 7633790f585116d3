"""Streams while they are live or wait to be resumed: who owns one, what is sent, what is kept. Knows no gRPC."""
