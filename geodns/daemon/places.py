"""Where a server keeps its files: what must survive, and what lives in memory."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import re
import secrets
import select
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from geodns.engine.page import PAGE_HEAD, PAGE_SIZE, WorkerPage
from geodns.errors import ConfigError, Reason, Unavailable
from geodns.settings import Settings
from geodns.snapshot.manifest import SNAPSHOT_DIR, read_manifest
from geodns.snapshot.status import create_table, table_head, table_size

LOCK = "lock"
ID = "id"
STORE = "store.db"
REPLIES = "replies.db"
ADMIN_TOKEN = "admin.token"
API_FILE = "api.json"
STATUS = "status"
JOURNAL = "journal"
WORKERS = "workers"

ORPHANS_S = 4.0
"""How long to wait for the children of a server that was killed. Source: measured, they end
within 2 s; the API lets requests under way finish for that long."""


_LACKS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_NO_WRITING = (errno.EROFS, errno.EACCES, errno.EPERM)

log = logging.getLogger("geodns")


@dataclass(frozen=True, slots=True)
class Places:
    """The two directories of one server."""

    data: Path
    runtime: Path

    @property
    def status(self) -> Path:
        """The status table."""
        return self.runtime / STATUS

    @property
    def journal(self) -> Path:
        """The ring of the last changes of health."""
        return self.runtime / JOURNAL

    def worker_page(self, number: int) -> Path:
        """The page of one worker."""
        return self.runtime / WORKERS / str(number)


def prepare(settings: Settings) -> tuple[Places, int]:
    """Make the directories and take the lock; returns it as a descriptor to keep open.

    Every process of a server holds the lock, so that one which is killed is only followed when
    the last of its children has let go of sockets and files.

    Errors: ConfigError when another server runs on the same data, Unavailable when a
    directory cannot be made.
    """
    data = settings.data_dir.absolute()
    runtime = (settings.runtime_dir or _default_runtime(data)).absolute()
    try:
        for directory in (data, data / SNAPSHOT_DIR, runtime, runtime / WORKERS):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if runtime.stat().st_uid != os.geteuid():
            raise PermissionError(f"{runtime} belongs to somebody else")
        lock = _open_lock(data)
    except OSError as error:
        hint = "Choose others with --data-dir and --runtime-dir."
        reason = Reason("", "no_directory", f"No place to work: {error}.", str(data), hint)
        raise Unavailable([reason]) from None
    _take(lock, data)
    return Places(data, runtime), lock


def _open_lock(data: Path) -> int:
    """The lock's descriptor. A disk that has become read-only keeps nobody from being answered:
    whoever has a generation there serves it, and cannot be changed."""
    path = data / LOCK
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NO_WRITING or read_manifest(data)[0] is None:
            raise
        log.error("%s cannot be written: %s. What was served last is served on.", data, error)
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def make_pages(places: Places, settings: Settings) -> None:
    """All shared memory, allocated whole. Errors: Unavailable when there is no room for it."""
    try:
        places.worker_page(0).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _claim(places)
        for number in range(settings.workers):
            if not _begins(page := places.worker_page(number), PAGE_HEAD, PAGE_SIZE):
                page.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(f"{places.runtime} cannot be made: {error}.") from None
    create_table(places.status, settings.status_slots)
    for number in range(settings.workers):
        WorkerPage(places.worker_page(number), create=True)


def is_whole(places: Places, settings: Settings) -> bool:
    """Whether the shared memory is still as `make_pages` made it: none of it gone, cut or wiped.

    What maps a file that was cut short dies of it, and nothing that maps it anew can begin.
    """
    wanted = [(places.status, table_head(settings.status_slots), table_size(settings.status_slots))]
    for number in range(settings.workers):
        wanted.append((places.worker_page(number), PAGE_HEAD, PAGE_SIZE))
    return all(_begins(*each) for each in wanted)


def _begins(path: Path, head: bytes, size: int) -> bool:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(len(head)) == head and os.fstat(file.fileno()).st_size == size
    except OSError as error:
        return error.errno in _LACKS  # which say nothing of the file


def _claim(places: Places) -> None:
    """Take over no memory of another server: its data may be gone, and its path ours now."""
    own = _read_id(places.data)
    if own is None:
        own = secrets.token_hex(16)
        _write_id(places.data, own)
    if _read_id(places.runtime) == own:
        return
    places.status.unlink(missing_ok=True)
    places.journal.unlink(missing_ok=True)
    for page in places.worker_page(0).parent.iterdir():
        page.unlink()
    _write_id(places.runtime, own)


def _read_id(directory: Path) -> str | None:
    """The id of the server that the directory belongs to; None if it says none."""
    with suppress(FileNotFoundError, UnicodeDecodeError):
        text = (directory / ID).read_text("ascii").strip()
        return text if re.fullmatch("[0-9a-f]{32}", text) else None
    return None


def _write_id(directory: Path, own: str) -> None:
    draft = directory / f"{ID}.new"
    draft.touch(mode=0o600)
    draft.write_text(f"{own}\n")
    draft.replace(directory / ID)


def _take(lock: int, data: Path) -> None:
    until_s = time.monotonic() + ORPHANS_S
    while not _locked(lock):
        pid = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
        if not _has_ended(pid) or time.monotonic() > until_s:
            hint = "Stop it, or choose another directory with --data-dir."
            detail = f"A geodns server (process {pid}) already runs on {data}."
            raise ConfigError([Reason("", "already_running", detail, pid, hint)])
        time.sleep(0.01)
    pid_line = f"{os.getpid()}\n".encode()
    with suppress(OSError):  # full or read-only: then the next one is told no pid, or an old one
        os.pwrite(lock, pid_line, 0)  # before it is cut short, for there may be no other room
        os.ftruncate(lock, len(pid_line))


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _has_ended(pid: str) -> bool:
    """Whether that process is no more: then only its children hold the lock still."""
    try:
        descriptor = os.pidfd_open(int(pid))
    except (OSError, ValueError):
        return pid.isdigit()
    try:
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        return bool(ended.poll(0))
    finally:
        os.close(descriptor)


def hold(data: Path) -> int:
    """Keep servers from starting on this data directory, for as long as the descriptor is open.

    Errors: ConfigError when one runs, Unavailable when the directory cannot be used.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{data} cannot be used: {error.strerror}.") from None
    _take(lock, data)
    return lock


def _default_runtime(data: Path) -> Path:
    """A directory in memory, the same for every start on the same data."""
    given = os.environ.get("RUNTIME_DIRECTORY")  # systemd.exec(5), one or several by ":"
    if given:
        return Path(given.partition(":")[0])
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        return data / "run"
    digest = hashlib.sha256(bytes(data)).hexdigest()[:12]
    return shared / f"geodns-{os.geteuid()}-{digest}"
