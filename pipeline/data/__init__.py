"""From the dataset to the batches of a training step: tokens, splits, corpora."""
