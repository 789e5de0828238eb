"""Stage 2: the checks of a dataset and the verdict on it."""
