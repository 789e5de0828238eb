"""How checkpoints are named and stored; ../checkpoint.py is how they are written, read and trusted."""
