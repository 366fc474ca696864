"""One ingestion run: load a reader's tables into the warehouse through dlt."""

from __future__ import annotations

import json
import logging
import re
import shutil
import time
from collections import Counter
from pathlib import Path

import dlt
import duckdb
import pyarrow as pa
from dlt.common.storages.load_package import PackageStorage
from dlt.pipeline.exceptions import PipelineStepFailed

from ingest.contract import keep_one_row_per_key
from ingest.run.interpreter import less_frequent_gc
from ingest.run.summary import RunSummary
from ingest.source import COPIED_TABLES, Extract, Reader, SourceKind, resources_of
from ingest.warehouses.base import (
    DATASET,
    DESTINATION_NAME,
    Warehouse,
    WarehouseError,
    WarehouseInUse,
    causes,
    is_disk_full,
)
from ingest.warehouses.configured import as_warehouse, last_destination, make_pipeline
from ingest.warehouses.stored import Stored

_log = logging.getLogger(__name__)

KEPT_PACKAGES = 5
_TEMPORARY_NAME = re.compile(r"[0-9a-f]{16}")  # dlt writes to a file of such a name and renames it
_INTERRUPTIONS = (KeyboardInterrupt, duckdb.InterruptException)
_REPLACED = "all tables were replaced, because Parquet files cannot be merged"


def run(
    reader: Reader,
    source_kind: SourceKind,
    source_name: str,
    place: Path | Warehouse,
    wait_seconds: float = 0,
) -> RunSummary:
    """Load all tables of a reader into a warehouse, or into the DuckDB file at a path.

    Nothing is loaded before everything has been read. Packages that a killed run had read
    completely are loaded first.

    Raises:
        WarehouseError: if the warehouse cannot be used, or contains another kind of data.
        Exception: any error of the reader; the warehouse is then unchanged.
    """
    started = time.monotonic()
    warehouse = as_warehouse(place)
    notes: list[str] = []
    with (
        warehouse.locked(wait_seconds),
        warehouse.prepared() as is_new,
        less_frequent_gc(),
    ):
        loaded_elsewhere = last_destination(warehouse) not in (None, DESTINATION_NAME)
        pipeline = make_pipeline(warehouse)
        if is_new or loaded_elsewhere:
            pipeline = pipeline.drop()  # its pending packages are not for this warehouse
        _tidy(Path(pipeline.working_dir))
        try:
            _load_pending(pipeline, warehouse)
        except LoadFailed as failure:
            notes.append(f"the data read by an earlier run was not loaded: {failure}")
            pipeline = make_pipeline(warehouse)
        if not is_new:
            _refuse_mixing(warehouse, source_kind, source_name)
            _refuse_replacing(warehouse, source_name)
        try:
            pipeline.sync_destination()
            with Stored(warehouse, source_kind, source_name) as stored:
                extract = Extract(reader, source_kind, source_name, stored, can_copy_tables=True)
                source = resources_of(extract, warehouse)
                pipeline.extract(source, loader_file_format="parquet")
        except Exception as failure:
            _tidy(Path(pipeline.working_dir))  # remove the incomplete extract
            if any(isinstance(each, _INTERRUPTIONS) for each in causes(failure)):
                raise KeyboardInterrupt from failure  # dlt wraps it
            raise _root_cause(failure, warehouse) from failure
        reader.close()
        for table_name, count in _load_pending(pipeline, warehouse).items():
            extract.rows_by_table[table_name] -= count
            rows = "1 duplicate row was" if count == 1 else f"{count:,} duplicate rows were"
            notes.append(f"{table_name}: {rows} removed; the newest are kept")
    return RunSummary(
        failure=reader.failure(extract.rows_by_table),
        source_name=source_name,
        warehouse=warehouse.name,
        rows_by_table=dict(extract.rows_by_table),
        requests_count=reader.requests_count,
        seconds=time.monotonic() - started,
        skipped=reader.skipped,
        failed_project_ids=reader.failed_project_ids,
        drift=reader.drift,
        extract_mode=reader.extract_mode,
        notes=[
            *reader.notes,
            *notes,
            *([] if warehouse.merges else [_REPLACED]),
        ],
    )


def _load_pending(pipeline: dlt.Pipeline, warehouse: Warehouse) -> Counter[str]:
    """Load the packages that were read completely, by this run or by a killed one.

    Returns:
        The number of duplicate rows that were removed, by table.

    Raises:
        LoadFailed: if they cannot be loaded. They are then set aside.
        WarehouseError: if another program is using the warehouse; the next run loads them.
    """
    replaced: Counter[str] = Counter()
    if not pipeline.has_pending_data:
        return replaced
    packages = _pending_packages(Path(pipeline.working_dir))
    try:
        for package in packages:
            _copy_tables(package)
            replaced.update(keep_one_row_per_key(package / "new_jobs"))
        pipeline.normalize()
        pa.default_memory_pool().release_unused()  # DuckDB may need this memory
        with warehouse.reserved():
            pipeline.load(workers=warehouse.load_workers)
    except Exception as failure:
        cause = _root_cause(failure, warehouse)
        if isinstance(cause, WarehouseInUse):
            raise cause from failure
        what_became = _out_of_the_way(pipeline, warehouse, is_disk_full(failure))
        undone = "the warehouse is unchanged"
        if not warehouse.rolls_back_loads:
            undone = "tables that were loaded before the failure keep the new rows"
        _log.exception("the load failed")
        raise LoadFailed(f"{_sentence(cause)}; {undone}, and {what_became}") from failure
    return replaced


class LoadFailed(WarehouseError):
    """The data that was read could not be loaded. The message says why, and where the data is."""


def _sentence(failure: Exception) -> str:
    """A one-line description: our own message, or the root cause of an unknown error."""
    if isinstance(failure, WarehouseError):
        return str(failure)
    *_, first = causes(failure)
    return f"{type(first).__name__}: {' '.join(str(first).split())[:300]}"


def _pending_packages(working_folder: Path) -> list[Path]:
    """The folders of load packages that have not been loaded yet."""
    stages = (working_folder / "normalize" / "extracted", working_folder / "load" / "normalized")
    return [each for stage in stages if stage.is_dir() for each in sorted(stage.iterdir())]


def _copy_tables(package: Path) -> None:
    """Give tables the files of those whose rows they also have (see `COPIED_TABLES`)."""
    if package.parent.name != "extracted":
        return  # they have been copied
    state = json.loads((package / "load_package_state.json").read_bytes())
    for name, copied_from in state.get("destination_state", {}).get(COPIED_TABLES, {}).items():
        for file in (package / "new_jobs").glob(f"{copied_from}.*"):
            copy = file.with_name(name + file.name.removeprefix(copied_from))
            if not copy.exists():
                try:
                    copy.hardlink_to(file)
                except OSError:  # a file system without links
                    shutil.copyfile(file, copy)


def _out_of_the_way(pipeline: dlt.Pipeline, warehouse: Warehouse, is_full: bool) -> str:
    """Set a failed load aside, because dlt would repeat it before any other load.

    The latest failed load is kept for diagnosis, unless the disk is full. This also drops dlt's
    local copy of the schema, which dlt reads from the warehouse again in the next run.
    """
    kept = warehouse.pipelines_folder / "failed"
    shutil.rmtree(kept, ignore_errors=True)
    for package in _pending_packages(Path(pipeline.working_dir)) if not is_full else ():
        kept.mkdir(parents=True, exist_ok=True)
        package.rename(kept / package.name)
    pipeline.drop()
    return "the data read was dropped" if is_full else f"the data read is kept in {kept}"


def _refuse_mixing(warehouse: Warehouse, source_kind: SourceKind, source_name: str) -> None:
    """Refuse to mix the demo and real data in one warehouse."""
    for loaded_kind, loaded_name in _loaded_sources(warehouse):
        if (loaded_kind == "demo") != (source_kind == "demo"):
            stored = "the demo" if loaded_kind == "demo" else f"data of {loaded_name}"
            wanted = "the demo" if source_kind == "demo" else source_name
            raise WarehouseError(
                f"{warehouse.name} contains {stored}, so {wanted} is not loaded into it; "
                f"{warehouse.alternative}"
            )


def _refuse_replacing(warehouse: Warehouse, source_name: str) -> None:
    """If the warehouse cannot merge, refuse to replace data of another source."""
    if warehouse.merges:
        return
    for _, loaded_name in _loaded_sources(warehouse):
        if loaded_name != source_name:
            raise WarehouseError(
                f"{warehouse.name} contains data of {loaded_name}, which {source_name} would "
                f"replace, as Parquet files cannot be merged; {warehouse.alternative}, or use "
                "Delta tables"
            )


def _loaded_sources(warehouse: Warehouse) -> list[tuple[str, str]]:
    """The (source kind, source name) of all loaded sources, the latest first."""
    with warehouse.reading() as reading:
        if not reading.columns("extracts"):
            return []
        return reading.rows(
            f"select source_kind, source_name from {DATASET}.extracts "
            "group by source_kind, source_name order by max(started_at) desc"
        )


def _root_cause(failure: Exception, warehouse: Warehouse) -> Exception:
    """The actual cause of a failed step of dlt: a reader's own error, or the warehouse."""
    if not isinstance(failure, PipelineStepFailed | OSError | duckdb.Error | pa.ArrowException):
        return failure
    chain = list(causes(failure))
    for cause in chain:
        if cause.__class__.__module__.startswith("ingest.") and isinstance(cause, Exception):
            return cause
    explained = warehouse.explain(failure)
    if explained and any("Could not set lock" in str(each) for each in chain):
        return WarehouseInUse(explained)
    if explained:
        return WarehouseError(explained)
    if is_disk_full(failure):
        return WarehouseError(
            f"the disk of {warehouse.pipelines_folder}, where data is kept until it is loaded, is "
            "full; free some space and run this again"
        )
    return failure


# dlt's working folder ----------------------------------------------------------------------------
# A killed run may have left incomplete files in it. This code depends on the folder layout of the
# dlt version pinned in pyproject.toml; tests/resilience kills runs at each of these points.


def _tidy(working_folder: Path) -> None:
    """Remove incomplete files, and all but the latest loaded packages.

    dlt itself never removes an interrupted extract (`normalize/<random name>`) or a loaded package
    (`load/loaded`).
    """
    for folder in _folders(working_folder / "normalize"):
        if folder.name != "extracted":
            shutil.rmtree(folder, ignore_errors=True)
    load = working_folder / "load"
    for package in _folders(load / "normalized"):
        _restart(package, load / "loaded")
    for package in _folders(working_folder / "normalize" / "extracted"):
        # Already normalised: dlt was deleting it when it was killed, and could not read it again.
        if any((load / stage / package.name).is_dir() for stage in ("normalized", "loaded")):
            shutil.rmtree(package, ignore_errors=True)
    for package in sorted(_folders(load / "loaded"))[:-KEPT_PACKAGES]:
        shutil.rmtree(package, ignore_errors=True)
    for file in working_folder.rglob("*"):
        if _TEMPORARY_NAME.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)


def _restart(package: Path, loaded: Path) -> None:
    """Reset a package that was being loaded, so that dlt loads it from the start.

    If a process is killed after committing a file to the staging dataset, but before dlt records
    that, dlt would load the file again, and its merge would insert every new row twice. On a load
    from the start dlt empties the staging tables first, and repeating a merge changes nothing.
    """
    if (package / PackageStorage.PACKAGE_COMPLETED_FILE_NAME).exists():
        package.rename(loaded / package.name)  # everything else was done
        return
    applied = package / PackageStorage.APPLIED_SCHEMA_UPDATES_FILE_NAME
    if applied.exists():
        applied.replace(package / PackageStorage.SCHEMA_UPDATES_FILE_NAME)
    new_jobs = package / PackageStorage.NEW_JOBS_FOLDER
    for state in (PackageStorage.STARTED_JOBS_FOLDER, PackageStorage.COMPLETED_JOBS_FOLDER):
        for job in (package / state).iterdir():
            job.replace(new_jobs / job.name)
    for kind in ("*.sql", "*.reference"):
        for merge in new_jobs.glob(kind):
            merge.unlink()  # dlt creates it again once the table's files are loaded
    for note in (package / PackageStorage.PENDING_TRANSITIONS_FOLDER).glob("*"):
        note.unlink()


def _folders(parent: Path) -> list[Path]:
    return [each for each in parent.iterdir() if each.is_dir()] if parent.is_dir() else []
