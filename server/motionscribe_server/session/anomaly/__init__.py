"""Motion unlike what the model and the stream know: scores, their threshold, and the events that come of them."""
