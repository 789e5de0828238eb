"""The figures of a run: one module for each, and the words, letters and marks that they share."""
