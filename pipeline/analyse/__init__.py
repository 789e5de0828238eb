"""Questions asked of a training history, answered with ``pipeline/statistics``."""
