"""Labels of trials that the model has not seen, with the shipped settings."""
