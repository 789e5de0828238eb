"""The console report of the analysis: its sentences in both languages, and the lines put together from them."""
