"""Who may call, how much a tenant may send, and the log of who did what. Knows errors and keys alone."""
