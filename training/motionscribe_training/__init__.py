"""The trainer: recordings in, a model folder out; and scores of labelled recordings, by the server's own Session."""
