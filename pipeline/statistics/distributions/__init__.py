"""Distributions of chance, with nothing but NumPy."""
