"""What outlives a server: clusters of streams and checkpoints of durable ones, in SQLite or Redis."""
