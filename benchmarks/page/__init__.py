"""The page: what its viewers cost, and how soon a browser shows what the server says."""
