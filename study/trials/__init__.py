"""Trials: one thing of the headline model changed, at equal cost."""
