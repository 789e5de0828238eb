"""Scoring on held-out text: accuracy and loss, as a whole and broken down."""
