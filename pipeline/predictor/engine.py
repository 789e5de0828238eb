"""What runs the learner's loops: numba where it is installed, else Python itself, some hundred times slower.

The two give the same numbers but for the last digits of ``exp`` and ``log``, and a last digit is enough to derail a
decoder. So a coded file names its engine, with a fingerprint of what the engine computes here (``codec.py``).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., object])

if importlib.util.find_spec("numba"):
    # numba looks only at the file of a function to see whether its machine code is still good, not at what it calls: so
    # the code of each state of this room has a folder of its own.
    _room = Path(__file__).parent
    _digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_room.glob("*.py")))).hexdigest()[:16]
    if os.access(_room, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(_room / "__pycache__" / f"numba_{_digest}")

    import numba

    NAME = f"numba {numba.__version__}"
    _OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False, "forceinline": True}

    def compiled(function: F) -> F:
        """``function`` as machine code; in strict arithmetic, so that no digit depends on how a loop is vectorised.

        Nothing is allocated within, so the code need not count references (``_nrt``): counting those of some fifty
        arrays at every call took half of the time. A call would hand all of them over, so there is none
        (``forceinline``): a fifth of the rest.
        """
        return cast(F, numba.njit(**_OPTIONS)(function))
else:
    NAME = f"python {platform.python_version()}"

    def compiled(function: F) -> F:
        """``function`` as it stands."""
        return function
