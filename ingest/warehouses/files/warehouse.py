"""Raw tables as files, written by dlt's filesystem destination: in a folder, or on S3.

Delta tables are merged, as the tables of a database are. Plain Parquet files cannot be: each run
reads everything, and puts all of it in the place of what was there.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb
from dlt.common.destination.reference import AnyDestination_CO as AnyDestination

from ingest.run.settings import ROOT, SettingsError
from ingest.tables import TABLES
from ingest.warehouses.base import DATASET, REPLACE, UPSERT, WarehouseError
from ingest.warehouses.files.location import Location, location_of
from ingest.warehouses.files.reading import LOADS, FilesReading, delta_table, listed
from ingest.warehouses.lock import closing_lock, take_file_lock

Format = Literal["delta", "parquet"]

_log = logging.getLogger(__name__)
_DEFAULT_FOLDER = "raw"
_PACKAGES = ("deltalake", "s3fs")
_INSTALL = "make setup TARGET=files installs it"
_MOST_FILES = 20  # of one Delta table; each sync adds some
_KEPT_HOURS = 7 * 24  # what older versions of a table consist of, for those who still read one


class FilesWarehouse:
    """A folder, or a prefix of a bucket, with a folder for each raw table."""

    another = "set WAREHOUSE_FILES to another folder"
    makes_tables = False
    load_workers = 2  # a merge takes all cores, and memory for what it merges

    def __init__(self, location: Location, file_format: Format = "delta") -> None:
        """Only remember where it is.

        Args:
            location: where the dataset's folder is, or will be.
            file_format: how the tables are written.
        """
        self.location = location
        self._format = file_format
        self.undoes_loads = False
        self.merges = file_format == "delta"
        self.secrets = location.secrets

    @property
    def name(self) -> str:
        """The path, or the URL."""
        return self.location.url

    @property
    def pipelines_folder(self) -> Path:
        """A folder of its own for each location."""
        return ROOT / ".dlt" / "pipelines" / hashlib.sha256(self.name.encode()).hexdigest()[:12]

    @property
    def hints(self) -> dict[str, Any]:
        """How dlt writes a raw table."""
        return {**UPSERT, "table_format": "delta"} if self.merges else REPLACE

    def destination(self) -> AnyDestination:
        """How dlt writes to it."""
        from ingest.warehouses.files.destination import TrackerFiles

        location = self.location
        url = Path(location.root).as_uri() if location.is_local else location.url
        return TrackerFiles(url, credentials=location.credentials, destination_name="warehouse")

    def locked(
        self, wait_seconds: float = 0, what: str = "python -m ingest"
    ) -> AbstractContextManager[None]:
        """Hold it for one run."""
        return closing_lock(self._take_lock(wait_seconds, what))

    def lock_for_successor(self, wait_seconds: float, what: str) -> None:
        """Hold it until this process ends, also when another program takes its place."""
        os.set_inheritable(self._take_lock(wait_seconds, what), True)

    def _take_lock(self, wait_seconds: float, what: str) -> int:
        """The operating system's lock on a file: in the folder, or on this machine for a bucket."""
        if self.location.is_local:
            folder, name = Path(self.location.root), ".lock"
        else:
            folder, name = self.pipelines_folder.parent, f"{self.pipelines_folder.name}.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return take_file_lock(folder / name, self.name, wait_seconds, what)
        except OSError as error:
            raise WarehouseError(
                f"{folder} is not writable ({error.strerror}); set WAREHOUSE_FILES to one that is"
            ) from None

    @contextmanager
    def prepared(self) -> Iterator[bool]:
        """Check that it can be written, and holds what this format goes on from."""
        with self._explaining():
            self._require_writable()
            with self.reading() as reading:
                is_new = not reading.columns("extracts")
            if not is_new and bool(delta_table(self.location, "extracts")) != self.merges:
                held = "Parquet files" if self.merges else "Delta tables"
                raise WarehouseError(
                    f"{self.name} holds {held}, not {self._format}; {self.another}, or "
                    f"WAREHOUSE_FILES_FORMAT to {'parquet' if self.merges else 'delta'}"
                )
        yield is_new

    def _require_writable(self) -> None:
        """Write a file and remove it again."""
        probe = f"{self.location.root}/.probe"
        filesystem = self.location.filesystem
        filesystem.pipe_file(probe, b"")
        filesystem.rm_file(probe)

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Let dlt write, then join small files and remove what no version of a table needs."""
        if self.location.is_local:
            with suppress(OSError):  # dlt refuses an empty folder, as a killed run may leave it
                Path(self.location.root, DATASET).rmdir()
        if self.merges:
            yield
            for name in TABLES:
                self._tidy(name)
        else:
            # Files go one by one: no load is there whole until dlt's mark of the new one is.
            for mark in listed(self.location, LOADS):
                self.location.filesystem.rm_file(mark)
            yield

    def _tidy(self, table_name: str) -> None:
        table = delta_table(self.location, table_name)
        if table is None:
            return
        if len(table.file_uris()) > _MOST_FILES:
            _log.info("joined: %s", table.optimize.compact())
        table.vacuum(retention_hours=_KEPT_HOURS, dry_run=False, full=True)

    @contextmanager
    def reading(self) -> Iterator[FilesReading]:
        """A connection that only reads."""
        with self._explaining(), duckdb.connect() as connection:
            yield FilesReading(connection, self.location)

    def is_there(self) -> bool:
        """Whether anything was ever loaded."""
        with self._explaining():
            return bool(listed(self.location, "_dlt_version"))

    def explained(self, error: BaseException) -> str | None:
        """Say in one line what a failed load ran into, when the files were the reason."""
        return self.location.explained(error)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except (WarehouseError, SettingsError):
            raise
        except Exception as error:
            meaning = self.location.explained(error)
            if meaning is None:
                raise
            raise WarehouseError(meaning) from error


def files_of_environment() -> FilesWarehouse:
    """The files that WAREHOUSE_FILES and WAREHOUSE_FILES_FORMAT name: Delta tables in `raw`.

    Raises:
        SettingsError: when they cannot be used.
        WarehouseError: when a package is not installed.
    """
    file_format = os.environ.get("WAREHOUSE_FILES_FORMAT") or "delta"
    formats: tuple[Format, ...] = get_args(Format)
    chosen = next((each for each in formats if each == file_format), None)
    if chosen is None:
        raise SettingsError(f"WAREHOUSE_FILES_FORMAT is {file_format!r}, not delta or parquet")
    return files_at(os.environ.get("WAREHOUSE_FILES") or _DEFAULT_FOLDER, chosen)


def files_at(value: str, file_format: Format = "delta") -> FilesWarehouse:
    """The files in a folder or at `s3://bucket/prefix`.

    Raises:
        SettingsError: when it names neither.
        WarehouseError: when a package is not installed.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise WarehouseError(f"files need the package {package}; {_INSTALL}")
    return FilesWarehouse(location_of(value), file_format)
