"""How a trainer's script is asked for a run, and how it begins and conducts it: the same for every objective."""
