"""What a template shows: its form from a table, or computed, from the arguments that it is given."""
