"""Stage 3: settings, loop, optimizer, processes, and what is written about a run."""
