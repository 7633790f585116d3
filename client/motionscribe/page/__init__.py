"""The page: a web server beside the client that shows live streams in a browser. Needs the extra `page`.

app.py has the addresses, bridge.py the life of one viewer, replay.py that of one who looks at saved streams, hub.py the
streams that viewers share, wall.py all of them at once, static/ what runs in the browser.
"""
