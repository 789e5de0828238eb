"""What the analysis file holds: its keys, their types, units and what null means."""
