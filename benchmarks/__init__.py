"""Side-by-side comparisons; each prints ratios."""
