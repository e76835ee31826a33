"""Arrays kept in a file between runs. A cache: it may vanish, rot, or refuse to be written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.generic]]


def load_arrays(path: Path) -> Arrays | None:
    """The arrays of a file; None if there is no such file or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    # What a damaged zip or header raises is open-ended (BadZipFile, zlib.error, EOFError,
    # SyntaxError …), and whatever it is, the answer is to build the arrays anew.
    except Exception:
        return None


def save_arrays(path: Path, arrays: Arrays) -> bool:
    """Put the arrays into a file, whole or not at all; False if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        return False
    return True
