"""Training logs of other programs, read as histories: `read_log.py` is the door, each reader knows one kind of file."""
