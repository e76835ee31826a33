"""Whether the data directory can take what is to be kept."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from geodns.daemon.places import STORE
from geodns.errors import Reason

PROBE_BYTES = 4096
"""What is written to see. Source: a block of common file systems; less may fit into a full one."""

_WITHOUT = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.EMFILE, errno.ENFILE)
"""File systems that have no files without a name; and a lack that is not the disk's."""


def disk_fault(data: Path) -> Reason | None:
    """What keeps changes from being saved; None if nothing does.

    Shape: a file without a name is written, which leaves nothing behind whatever happens.
    """
    try:
        (data / STORE).stat()
        probe = os.open(data, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return None if error.errno in _WITHOUT else _reason(data, error)
    try:
        os.write(probe, bytes(PROBE_BYTES))
    except OSError as error:
        return _reason(data, error)
    finally:
        os.close(probe)
    return None


def _reason(data: Path, error: OSError) -> Reason:
    detail = f"Nothing can be saved in {data}: {error.strerror}. DNS and health checks go on."
    return Reason("", "disk", detail, hint="Make it whole and writable; no restart is needed.")
