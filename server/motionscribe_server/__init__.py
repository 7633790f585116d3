"""The server: live motion in over gRPC; labels, segments and anomalies out. docs/6-inside.md shows a frame's way."""
