"""Guesses that need no neural network: what a model must beat."""
