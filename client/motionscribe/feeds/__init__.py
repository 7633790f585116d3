"""Feeds on their way to the server: one (streams.py), or a wall of them from a file (wall.py), each by itself.

feed_file.py reads the file, keys.py lists its keys, checking.py looks at what they name, outputs.py opens and closes
the places of a feed, restarting.py decides what happens after an end.
"""
