"""One file a chapter of the report: an Explained in, a Chapter out. Numbers stand beside their controls."""
