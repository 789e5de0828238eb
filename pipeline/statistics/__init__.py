"""Arrays in, numbers and dataclasses out: nothing here knows a file or a History."""
