"""What may be wrong with a run: one set of rules for the analysis and the progress screen, so nothing but NumPy."""
