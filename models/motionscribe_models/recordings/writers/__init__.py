"""Writers of recordings: one module a format, and what several of them need. writing.py has the table."""
