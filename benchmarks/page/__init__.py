"""What the page costs, in a real browser. One command each; see each module."""
