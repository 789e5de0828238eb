"""How the committed study was made: its datasets, the sweep over settings, and the tables of its findings."""
