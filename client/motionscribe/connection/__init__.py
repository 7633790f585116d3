"""The way to a server and back: channel, calls, resuming streams, and what was sent and received on them."""
