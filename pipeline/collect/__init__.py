"""Stage 1: text from its sources, cut into sentences, compiled into the dataset."""
