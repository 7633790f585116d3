"""The serving side of worker processes: a pool of them, the sessions in each, and the transport to one."""
