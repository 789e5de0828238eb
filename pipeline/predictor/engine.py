"""What runs the learner's loops: numba where it is installed, else Python itself, some hundred times slower.

The two give the same numbers but for the last digits of ``exp`` and ``log``, and a last digit is enough to derail a
decoder. So a coded file names its engine, with a fingerprint of what the engine computes here (``codec.py``).
"""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable
from typing import TypeVar, cast

F = TypeVar("F", bound=Callable[..., object])

if importlib.util.find_spec("numba"):
    import numba

    NAME = f"numba {numba.__version__}"

    def compiled(function: F) -> F:
        """``function`` as machine code; in strict arithmetic, so that no digit depends on how a loop is vectorised."""
        return cast(F, numba.njit(cache=True, error_model="numpy")(function))
else:
    NAME = f"python {platform.python_version()}"

    def compiled(function: F) -> F:
        """``function`` as it stands."""
        return function
