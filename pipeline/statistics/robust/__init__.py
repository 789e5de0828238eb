"""Estimates that outliers hardly move, with nothing but NumPy."""
