"""Settings of every test: hypothesis draws the same examples each time, so that a test passes or fails on the code.

``pytest --hypothesis-profile=search`` draws fresh ones, to look for what the fixed examples miss.
"""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile("fixed")
