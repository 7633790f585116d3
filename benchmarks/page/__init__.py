"""The page: what its viewers cost, how soon a browser shows what the server says, how long a camera waits."""
