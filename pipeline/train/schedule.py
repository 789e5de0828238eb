"""The learning rate of each step."""

from __future__ import annotations

import math

from pipeline.train.settings import Settings


def learning_rate(step: int, settings: Settings) -> float:
    """Rate of ``step`` (from 1): linear warm-up to ``lr`` at step ``warmup``, then a cosine to 0 at step ``steps``."""
    if step <= settings.warmup:
        return settings.lr * step / settings.warmup
    progress = (step - settings.warmup) / max(settings.steps - settings.warmup, 1)
    return settings.lr * 0.5 * (1 + math.cos(math.pi * progress))
