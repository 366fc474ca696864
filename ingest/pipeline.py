"""One run of ingestion: a reader's tables go through dlt into the warehouse."""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import dlt
import duckdb
import pyarrow as pa
from dlt.common.schema.typing import TTableSchema
from dlt.common.schema.utils import dlt_load_id_column, new_table
from dlt.extract import DltResource, DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from ingest.contract import admitted, keep_one_row_per_key, rejected_row_records
from ingest.records import Drift, removal_rows, to_arrow
from ingest.run.interpreter import seldom_garbage_collection
from ingest.run.summary import RunSummary
from ingest.run.working_folder import tidy
from ingest.tables import TABLES, Table
from ingest.warehouses.base import (
    DATASET,
    Warehouse,
    WarehouseError,
    WarehouseInUse,
    causes,
    is_disk_full,
)
from ingest.warehouses.configured import make_pipeline, warehouse_of
from ingest.warehouses.stored import Stored

_log = logging.getLogger(__name__)

SourceKind = Literal["api", "demo", "archive"]

_BATCH_BYTES = 32 * 1024 * 1024
# Small lists that come whole in every run; of them only rows that differ from the stored ones are
# loaded, so that nothing is when nothing has changed.
_COMPARED_TABLES = frozenset({"projects", "me", "accounts", "notifications"})
_REPLACED = "all of it took the place of what was there before, as Parquet files cannot be merged"


class Reader(Protocol):
    """What all readers have in common: they give rows of the raw tables, table by table.

    Attributes:
        as_of: the instant that the data speaks for; known once the first table has been begun.
        project_ids: the projects that are read.
        requests_count: HTTP requests made so far.
        skipped: what could not be read, one sentence each.
        failed_project_ids: projects that should have been read and were not.
        drift: what did not fit the declared tables.
    """

    as_of: datetime
    project_ids: list[int]
    requests_count: int
    skipped: list[str]
    failed_project_ids: list[int]
    drift: Drift

    def tables(self) -> list[str]:
        """Names of the raw tables that this reader fills, in reading order."""
        ...

    def read(self, table_name: str) -> Iterator[pa.Table]:
        """Rows of one raw table, with exactly its Arrow schema.

        Of several rows with one key the newest is loaded (see `ingest.contract`). A row whose
        `is_removed` is true orders the removal of the stored one.
        """
        ...

    def keys_listed(self, table_name: str, project_id: int) -> set[tuple[Any, ...]] | None:
        """The keys of a project's rows, when it is known which there are; else None."""
        ...


@runtime_checkable
class SyncingReader(Protocol):
    """A reader that can go on from what the warehouse holds.

    It also has `extract_mode` (`full`, or `incremental` when only what changed was read) and
    `notes` (how the projects were read, one sentence each), known once it has read.
    """

    def go_on_from(self, stored: Stored) -> None:
        """Be told what the warehouse holds, before the first table is read."""
        ...


def run(
    reader: Reader,
    source_kind: SourceKind,
    source_name: str,
    place: Path | Warehouse,
    wait_seconds: float = 0,
) -> RunSummary:
    """Load everything that a reader gives into a warehouse, or the DuckDB file at a path.

    Nothing reaches the warehouse before all has been read; what a crashed run had already
    read whole is loaded first.

    Raises:
        WarehouseError: when the warehouse cannot be used, or holds another kind of data.
        Exception: whatever the reader raised; the warehouse is then as it was.
    """
    started = time.monotonic()
    rows: Counter[str] = Counter()
    warehouse = warehouse_of(place)
    notes: list[str] = []
    with (
        warehouse.locked(wait_seconds),
        warehouse.prepared() as is_new,
        seldom_garbage_collection(),
    ):
        pipeline = make_pipeline(warehouse)
        if is_new:
            pipeline = pipeline.drop()  # its folders are of a warehouse that was deleted
        tidy(Path(pipeline.working_dir))
        try:
            _load_pending(pipeline, warehouse)
        except LoadFailed as failure:
            notes.append(f"what an earlier run had read was not loaded: {failure}")
            pipeline = make_pipeline(warehouse)
        if not is_new:
            _refuse_mixing(warehouse, source_kind, source_name)
            _refuse_replacing(warehouse, source_name)
        try:
            pipeline.sync_destination()
            with Stored(warehouse, source_kind, source_name) as stored:
                if isinstance(reader, SyncingReader):
                    reader.go_on_from(stored)
                reading = _read_in_order(reader, source_kind, source_name, stored, rows)
                if not warehouse.merges:
                    reading["extracts"] = _unless_failed(reader, reading["extracts"])
                source = _source(reading, stored, warehouse)
                pipeline.extract(source, loader_file_format="parquet")
        except Exception as failure:
            tidy(Path(pipeline.working_dir))  # the half that was read takes room
            raise _root_cause(failure, warehouse) from failure
        for table_name, count in _load_pending(pipeline, warehouse).items():
            rows[table_name] -= count
            notes.append(f"{table_name}: {count:,} rows came again in this run; the newest stay")
    failure = getattr(reader, "failure", None)
    return RunSummary(
        failure=failure(rows) if failure else None,
        source_name=source_name,
        warehouse=warehouse.name,
        rows_by_table=dict(rows),
        requests_count=reader.requests_count,
        seconds=time.monotonic() - started,
        skipped=reader.skipped,
        failed_project_ids=reader.failed_project_ids,
        drift=reader.drift,
        extract_mode=_extract_mode(reader),
        notes=[
            *getattr(reader, "notes", []),
            *notes,
            *([] if warehouse.merges else [_REPLACED]),
        ],
    )


def _load_pending(pipeline: dlt.Pipeline, warehouse: Warehouse) -> Counter[str]:
    """Load what has been read whole, by this run or by one that was killed.

    Returns:
        How many rows were left out, because others of the same key replace them; by table.

    Raises:
        LoadFailed: when it cannot be loaded. It is then out of the way of all later loads.
        WarehouseError: when another program has the warehouse; the next run loads it.
    """
    replaced: Counter[str] = Counter()
    if not pipeline.has_pending_data:
        return replaced
    packages = _pending_packages(Path(pipeline.working_dir))
    try:
        for package in packages:
            replaced.update(keep_one_row_per_key(package / "new_jobs"))
        pipeline.normalize()
        pa.default_memory_pool().release_unused()  # what reading took, DuckDB may need
        with warehouse.held():
            pipeline.load(workers=warehouse.load_workers)
    except Exception as failure:
        cause = _root_cause(failure, warehouse)
        if isinstance(cause, WarehouseInUse):
            raise cause from failure
        what_became = _out_of_the_way(pipeline, warehouse, is_disk_full(failure))
        undone = "the warehouse is as it was"
        if not warehouse.undoes_loads:
            undone = "tables that were loaded before keep the new rows"
        _log.exception("the load failed")
        raise LoadFailed(f"{_sentence(cause)}; {undone}, and {what_became}") from failure
    return replaced


class LoadFailed(WarehouseError):
    """What was read could not be loaded; the message says why, and what became of it."""


def _sentence(failure: Exception) -> str:
    """One line: a message of our own, or what lies at the bottom of an unknown failure."""
    if isinstance(failure, WarehouseError):
        return str(failure)
    *_, first = causes(failure)
    return f"{type(first).__name__}: {' '.join(str(first).split())[:300]}"


def _pending_packages(working_folder: Path) -> list[Path]:
    """The folders of load packages that are not loaded yet."""
    stages = (working_folder / "normalize" / "extracted", working_folder / "load" / "normalized")
    return [each for stage in stages if stage.is_dir() for each in sorted(stage.iterdir())]


def _out_of_the_way(pipeline: dlt.Pipeline, warehouse: Warehouse, is_full: bool) -> str:
    """Take a load that failed away from dlt, which would try it again before any other.

    The latest one is kept for whoever looks for the reason, unless the disk is full. dlt's notes of
    the schema go with it; it reads them from the warehouse in the next run.
    """
    kept = warehouse.pipelines_folder / "failed"
    shutil.rmtree(kept, ignore_errors=True)
    for package in _pending_packages(Path(pipeline.working_dir)) if not is_full else ():
        kept.mkdir(parents=True, exist_ok=True)
        package.rename(kept / package.name)
    pipeline.drop()
    return "what had been read was dropped" if is_full else f"what had been read is kept in {kept}"


def _refuse_mixing(warehouse: Warehouse, source_kind: SourceKind, source_name: str) -> None:
    """The demo and real data never share a warehouse."""
    for loaded_kind, loaded_name in _loaded_sources(warehouse):
        if (loaded_kind == "demo") != (source_kind == "demo"):
            held = "the demo" if loaded_kind == "demo" else f"data of {loaded_name}"
            wanted = "the demo" if source_kind == "demo" else source_name
            raise WarehouseError(
                f"{warehouse.name} holds {held}, so {wanted} is not loaded into it; "
                f"{warehouse.another}"
            )


def _refuse_replacing(warehouse: Warehouse, source_name: str) -> None:
    """What a run does not merge into, it replaces: only data of the same source."""
    if warehouse.merges:
        return
    for _, loaded_name in _loaded_sources(warehouse):
        if loaded_name != source_name:
            raise WarehouseError(
                f"{warehouse.name} holds data of {loaded_name}, which {source_name} would replace, "
                f"as Parquet files cannot be merged; {warehouse.another}, or use Delta tables"
            )


def _loaded_sources(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Each (source kind, source name) that was loaded, the latest first."""
    with warehouse.reading() as reading:
        if not reading.columns("extracts"):
            return []
        return reading.rows(
            f"select source_kind, source_name from {DATASET}.extracts "
            "group by source_kind, source_name order by max(started_at) desc"
        )


def _read_in_order(
    reader: Reader, source_kind: SourceKind, source_name: str, stored: Stored, rows: Counter[str]
) -> dict[str, Callable[[], Iterator[pa.Table]]]:
    """What reads each raw table, in the order in which they are read."""
    started_at = datetime.now(UTC)
    as_of_files = getattr(reader, "as_of_files", dict)

    def read(name: str) -> Iterator[pa.Table]:
        table = TABLES[name]
        rows[name] = 0
        for batch in _in_large_batches(reader.read(name)):
            rows[name] += batch["is_removed"].null_count
            yield from _differing(admitted(table, batch, reader.drift), stored, name)
        yield from _removed_rows(reader, table, stored)

    def read_rejections() -> Iterator[pa.Table]:
        as_of = {None: reader.as_of.isoformat(), **as_of_files()}
        records = rejected_row_records(reader.drift.rejections, as_of)
        rows["rejected_rows"] = len(records)
        if records:
            yield to_arrow(TABLES["rejected_rows"], records, source_kind, reader.drift)

    def read_extract() -> Iterator[pa.Table]:
        yield _extract_row(reader, source_kind, source_name, started_at, rows)

    filled = {name: lambda name=name: read(name) for name in reader.tables()}
    return {**filled, "rejected_rows": read_rejections, "extracts": read_extract}


def _unless_failed(
    reader: Reader, rows: Callable[[], Iterator[pa.Table]]
) -> Callable[[], Iterator[pa.Table]]:
    """Give up where a project could not be read whose rows the others would replace."""

    def read() -> Iterator[pa.Table]:
        if reader.failed_project_ids:
            failed = ", ".join(map(str, reader.failed_project_ids))
            raise WarehouseError(
                f"nothing was loaded: project {failed} could not be read, and would be missing "
                f"from files that are replaced whole ({'; '.join(reader.skipped)})"
            )
        yield from rows()

    return read


def _source(
    reading: dict[str, Callable[[], Iterator[pa.Table]]], stored: Stored, warehouse: Warehouse
) -> DltSource:
    """What reads the tables. Models read every raw table, so those that are missing are made."""
    missing = [name for name in TABLES if name not in stored.complete_tables]
    if not warehouse.makes_tables:
        unfilled = {name: _no_rows for name in missing if name not in reading}
        reading = {
            name: _after_no_rows(TABLES[name], rows) if name in missing else rows
            for name, rows in {**unfilled, **reading}.items()
        }
    resources = [_resource(TABLES[name], rows, warehouse) for name, rows in reading.items()]
    source = dlt.source(lambda: resources, name="pivotal_tracker")()
    if warehouse.makes_tables:
        for name in missing:
            source.schema.update_table(_declared(TABLES[name]))
    return source


def _no_rows() -> Iterator[pa.Table]:
    yield from ()


def _after_no_rows(
    table: Table, rows: Callable[[], Iterator[pa.Table]]
) -> Callable[[], Iterator[pa.Table]]:
    """A file without rows, of which the table is made, and then those with rows."""

    def read() -> Iterator[pa.Table]:
        yield table.arrow_schema.empty_table()
        yield from rows()

    return read


def _declared(table: Table) -> TTableSchema:
    """A table of which dlt knows the columns; its first rows bring what else is to be known."""
    columns = [{"name": name, **hints} for name, hints in table.dlt_columns.items()]
    return new_table(table.name, columns=[*columns, dlt_load_id_column()])


def _resource(
    table: Table, rows: Callable[[], Iterator[pa.Table]], warehouse: Warehouse
) -> DltResource:
    """What gives dlt the rows of a table; their Arrow schema tells it the columns."""
    return dlt.resource(
        rows,
        name=table.name,
        # Without merging there is nothing to remove from.
        columns={"is_removed": {"hard_delete": True}} if warehouse.merges else None,
        primary_key=table.key,
        file_format="parquet",
        **warehouse.hints,
    )()


def _in_large_batches(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Join pages before dlt sees them: each item costs it some 20 ms, however small it is."""
    held: list[pa.Table] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size >= _BATCH_BYTES:
            yield pa.concat_tables(held)
            held, size = [], 0
    if held:
        yield pa.concat_tables(held)


def _differing(rows: pa.Table, stored: Stored, table_name: str) -> Iterator[pa.Table]:
    """Leave out rows of a compared table that are stored exactly so.

    A project's row marks what was read: it is left out only where a sync could go on from it.
    """
    held = stored.small_rows(table_name) if table_name in _COMPARED_TABLES else None
    if held is not None:
        known = {
            tuple(row.values())
            for row in held.to_pylist()
            if table_name != "projects" or row["id"] in stored.projects
        }
        differs = [tuple(row.values()) not in known for row in rows.to_pylist()]
        rows = rows.filter(pa.array(differs, pa.bool_()))
    if rows.num_rows:
        yield rows


def _removed_rows(reader: Reader, table: Table, stored: Stored) -> Iterator[pa.Table]:
    """Order the removal of rows that a whole listing no longer holds."""
    if table.scope is None:
        return
    listed = {each: reader.keys_listed(table.name, each) for each in reader.project_ids}
    if all(keys is None for keys in listed.values()):
        return
    held = stored.keys_by_project(table.name)
    # What another project lists now has moved there: its row is replaced, not removed.
    here = {key for keys in listed.values() if keys is not None for key in keys}
    for project_id, keys in listed.items():
        gone = set() if keys is None else held.get(project_id, set()) - here
        if gone:
            yield removal_rows(table, sorted(gone))


def _extract_mode(reader: Reader) -> str:
    return getattr(reader, "extract_mode", "full")


def _extract_row(
    reader: Reader,
    source_kind: SourceKind,
    source_name: str,
    started_at: datetime,
    rows: Counter[str],
) -> pa.Table:
    record = {
        "extract_id": str(uuid.uuid4()),
        "source_kind": source_kind,
        "source_name": source_name,
        "extract_mode": _extract_mode(reader),
        "project_ids": reader.project_ids,
        "requests_count": reader.requests_count,
        "records_count": sum(rows.values()),
        "records_by_table": dict(rows),
        "skipped": reader.skipped,
        "as_of": reader.as_of.isoformat(),
        "started_at": started_at.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
    }
    return to_arrow(TABLES["extracts"], [record], source_kind, reader.drift)


def _root_cause(failure: Exception, warehouse: Warehouse) -> Exception:
    """What a step of dlt really failed on: a reader's own error, or the warehouse."""
    if not isinstance(failure, PipelineStepFailed | OSError | duckdb.Error | pa.ArrowException):
        return failure
    chain = list(causes(failure))
    for cause in chain:
        if cause.__class__.__module__.startswith("ingest.") and isinstance(cause, Exception):
            return cause
    explained = warehouse.explained(failure)
    if explained and any("Could not set lock" in str(each) for each in chain):
        return WarehouseInUse(explained)
    if explained:
        return WarehouseError(explained)
    if is_disk_full(failure):
        return WarehouseError(
            f"the disk of {warehouse.pipelines_folder}, where what was read is kept until it is "
            "loaded, is full; make room on it and run this again"
        )
    return failure
