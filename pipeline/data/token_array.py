"""Room for the token ids of a corpus: in memory or, where they are many, in a file that is mapped into memory.

The system keeps of the file what fits into memory and drops what does not, so that the ids need not fit. The file lies
in the folder for temporary files (``TMPDIR``), which should then be on a disk; it is anonymous there and gone with
the process.
"""

from __future__ import annotations

import tempfile

import numpy as np

from pipeline.stage import InputError

MOST_IN_MEMORY = 2**30  # bytes; 537 million characters
_WRITTEN_AT_ONCE = 2**24


def token_array(count: int) -> np.ndarray:
    """uint16 [count], not initialized.

    Raises:
        InputError: the file does not fit on its disk.
    """
    size = count * np.dtype(np.uint16).itemsize
    if size <= MOST_IN_MEMORY:
        return np.empty(count, dtype=np.uint16)
    with tempfile.TemporaryFile() as file:
        try:  # the whole file, now: where the disk fills up under a mapping, the process is killed
            for start in range(0, size, _WRITTEN_AT_ONCE):
                file.write(bytes(min(_WRITTEN_AT_ONCE, size - start)))
            file.flush()
        except OSError as error:
            raise InputError(
                f"{tempfile.gettempdir()}: no room for {size / 2**30:.1f} GiB of tokens ({error.strerror}); "
                "set TMPDIR to a folder on a larger disk"
            ) from None
        return np.asarray(np.memmap(file, dtype=np.uint16, mode="r+", shape=(count,)))
