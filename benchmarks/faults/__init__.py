"""What breaks on purpose, and what the clients of durable streams hear of it."""
