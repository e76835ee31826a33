"""Whether a program of the operator's says so: exit code 0, and a line why.

Scripts run only where the local setting scripts_dir names a directory, and only programs in it:
whoever writes the configuration can choose among them but not add to them. Never a shell.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from geodns.health.observation import Observation
from geodns.health.probes.bounded import Finding, Misbehaviour, Progress, bounded
from geodns.health.probes.local import Local, Unable
from geodns.model.monitor import Monitor

OUTPUT_MAX_OCTETS = 65_536
"""Most a script may print. Source: no reference; a line is wanted."""

_OFF = "scripts are off here; the setting scripts_dir allows those of one directory"


class ScriptProbe:
    """Runs ``argv`` in the directory of scripts. ``{address}`` in an argument and the variable
    GEODNS_ADDRESS are the node's address; nothing else of our environment is passed on."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        self._address = address
        self._monitor = monitor
        self._local = local

    async def observe(self) -> Observation:
        """Passed when the program ends with 0 within the timeout; its first line is the reason."""
        return await bounded(self._monitor, self._look)

    async def _look(self, progress: Progress) -> Finding:
        directory, program = self._program()
        address = await self._local.admitted(self._address, 0)
        progress.missing, progress.ours = "no room for another script", True
        async with self._local.scripts:
            progress.missing, progress.ours = "no end of the script", False
            output, code = await self._run(directory, program, address)
        line = output.decode(errors="replace").strip().partition("\n")[0]
        how = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
        return Finding(code == 0, f"{how}: {line}" if line else how)

    def _program(self) -> tuple[Path, Path]:
        directory = self._local.scripts_dir
        if directory is None:
            raise Unable(_OFF)
        name = self._monitor.argv[0]
        program = directory / name
        if Path(name).name != name or not program.is_file() or not os.access(program, os.X_OK):
            raise Unable(f"there is no program {name} in the directory scripts_dir")
        return directory, program

    async def _run(self, directory: Path, program: Path, address: str) -> tuple[bytes, int]:
        arguments = [text.replace("{address}", address) for text in self._monitor.argv[1:]]
        process = await asyncio.create_subprocess_exec(
            str(program),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=directory,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "GEODNS_ADDRESS": address},
            start_new_session=True,  # a group of its own, to be ended as a whole
            close_fds=True,
        )
        try:
            assert process.stdout is not None
            output = bytearray()
            while piece := await process.stdout.read(4096):
                output += piece
                if len(output) > OUTPUT_MAX_OCTETS:
                    raise Misbehaviour(f"the script prints over {OUTPUT_MAX_OCTETS} octets")
            return bytes(output), await process.wait()
        finally:
            _end_group(process)


def _end_group(process: asyncio.subprocess.Process) -> None:
    """End the program and all it has started, whether or not it has ended itself."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:  # all that is left of the group has become somebody else's
        pass
    # Nothing is read any more, even if some child left the group and keeps the pipe open.
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
