"""Raw tables as files in a folder or on S3, written by dlt's filesystem destination.

Delta tables are merged, like the tables of a database. Plain Parquet files cannot be merged, so
each run reads everything and replaces all files.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb
from dlt.common.destination.reference import AnyDestination_CO as AnyDestination

from ingest.run.settings import SettingsError
from ingest.tables import TABLES
from ingest.warehouses.base import (
    DATASET,
    DESTINATION_NAME,
    REPLACE,
    UPSERT,
    WarehouseError,
    working_folder,
)
from ingest.warehouses.files.location import Location, parse_location
from ingest.warehouses.files.reading import LOADS, FilesReadConnection, delta_table, list_files
from ingest.warehouses.lock import closing_lock, take_file_lock

Format = Literal["delta", "parquet"]

_log = logging.getLogger(__name__)
_DEFAULT_FOLDER = "raw"
_PACKAGES = ("deltalake", "s3fs")
_INSTALL = "run make setup TARGET=files"
_MAX_FILES = 20  # per Delta table; each sync adds some
_RETENTION_HOURS = 7 * 24  # of old table versions, which readers may still use


class FilesWarehouse:
    """A folder or bucket prefix, with a subfolder for each raw table."""

    alternative = "set WAREHOUSE_FILES to another folder"
    creates_tables = False
    load_workers = 2  # a merge uses all cores, and memory for the rows it merges

    def __init__(self, location: Location, file_format: Format = "delta") -> None:
        """Describe the warehouse; nothing is opened.

        Args:
            location: where the dataset's folder is, or will be.
            file_format: the format of the tables.
        """
        self.location = location
        self._format = file_format
        self.rolls_back_loads = False
        self.merges = file_format == "delta"
        self.secrets = location.secrets

    @property
    def name(self) -> str:
        """The path or URL."""
        return self.location.url

    @property
    def pipelines_folder(self) -> Path:
        """A folder per location."""
        return working_folder(self.name)

    @property
    def hints(self) -> dict[str, Any]:
        """How dlt writes a raw table."""
        return {**UPSERT, "table_format": "delta"} if self.merges else REPLACE

    def destination(self) -> AnyDestination:
        """The dlt destination that writes to it."""
        from ingest.warehouses.files.destination import TrackerFiles

        location = self.location
        url = Path(location.root).as_uri() if location.is_local else location.url
        return TrackerFiles(
            url, credentials=location.credentials, destination_name=DESTINATION_NAME
        )

    def locked(
        self, wait_seconds: float = 0, what: str = "python -m ingest"
    ) -> AbstractContextManager[None]:
        """Lock it for one run."""
        return closing_lock(self._take_lock(wait_seconds, what))

    def lock_until_exit(self, wait_seconds: float, what: str) -> None:
        """Lock it until this process ends, including any program it becomes by `exec`."""
        os.set_inheritable(self._take_lock(wait_seconds, what), True)

    def _take_lock(self, wait_seconds: float, what: str) -> int:
        """Lock a file: in the folder itself, or in dlt's working folder for a bucket."""
        if self.location.is_local:
            folder, name = Path(self.location.root), ".lock"
        else:
            folder, name = self.pipelines_folder.parent, f"{self.pipelines_folder.name}.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return take_file_lock(folder / name, self.name, wait_seconds, what)
        except OSError as error:
            raise WarehouseError(
                f"{folder} is not writable ({error.strerror}); {self.alternative}"
            ) from None

    @contextmanager
    def prepared(self) -> Iterator[bool]:
        """Check that it is writable and, unless empty, in the configured format."""
        with self._errors_explained():
            self._require_writable()
            with self.reading() as reading:
                is_new = not reading.columns("extracts")
            if not is_new and bool(delta_table(self.location, "extracts")) != self.merges:
                stored = "Parquet files" if self.merges else "Delta tables"
                raise WarehouseError(
                    f"{self.name} contains {stored}, not {self._format}; {self.alternative}, or "
                    f"WAREHOUSE_FILES_FORMAT to {'parquet' if self.merges else 'delta'}"
                )
        yield is_new

    def _require_writable(self) -> None:
        """Check that a file can be written and removed."""
        probe = f"{self.location.root}/.probe"
        filesystem = self.location.filesystem
        filesystem.pipe_file(probe, b"")
        filesystem.rm_file(probe)

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Let dlt write, then compact the tables and remove files that no version needs."""
        if self.location.is_local:
            with suppress(OSError):  # dlt refuses an empty folder, which a killed run may leave
                Path(self.location.root, DATASET).rmdir()
        if self.merges:
            yield
            for name in TABLES:
                self._compact(name)
        else:
            # Files are replaced one by one: until dlt records this load, none counts as complete.
            for record in list_files(self.location, LOADS):
                self.location.filesystem.rm_file(record)
            yield

    def _compact(self, table_name: str) -> None:
        table = delta_table(self.location, table_name)
        if table is None:
            return
        if len(table.file_uris()) > _MAX_FILES:
            _log.info("compacted: %s", table.optimize.compact())
        table.vacuum(retention_hours=_RETENTION_HOURS, dry_run=False, full=True)

    @contextmanager
    def reading(self) -> Iterator[FilesReadConnection]:
        """Open a read-only connection."""
        with self._errors_explained(), duckdb.connect() as connection:
            yield FilesReadConnection(connection, self.location)

    def exists(self) -> bool:
        """Whether anything was ever loaded."""
        with self._errors_explained():
            return bool(list_files(self.location, "_dlt_version"))

    def explain(self, error: BaseException) -> str | None:
        """Explain an error in one line if the files caused it; None otherwise."""
        return self.location.explain(error)

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except (WarehouseError, SettingsError):
            raise
        except Exception as error:
            meaning = self.location.explain(error)
            if meaning is None:
                raise
            raise WarehouseError(meaning) from error


def configured_files() -> FilesWarehouse:
    """The warehouse of WAREHOUSE_FILES and WAREHOUSE_FILES_FORMAT; by default Delta in `raw`.

    Raises:
        SettingsError: if one of them is invalid.
        WarehouseError: if a package is not installed.
    """
    file_format = os.environ.get("WAREHOUSE_FILES_FORMAT") or "delta"
    formats: tuple[Format, ...] = get_args(Format)
    chosen = next((each for each in formats if each == file_format), None)
    if chosen is None:
        raise SettingsError(f"WAREHOUSE_FILES_FORMAT is {file_format!r}, not delta or parquet")
    return files_warehouse(os.environ.get("WAREHOUSE_FILES") or _DEFAULT_FOLDER, chosen)


def files_warehouse(value: str, file_format: Format = "delta") -> FilesWarehouse:
    """The warehouse in a folder or at `s3://bucket/prefix`.

    Raises:
        SettingsError: if the value is neither.
        WarehouseError: if a package is not installed.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise WarehouseError(f"files require the package {package}; {_INSTALL}")
    return FilesWarehouse(parse_location(value), file_format)
