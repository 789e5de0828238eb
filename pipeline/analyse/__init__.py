"""Stages 4 and 5: statistics of a training history, its progress, and the figures."""
