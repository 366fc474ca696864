"""The dlt source: a resource for each raw table, with the rows of a reader.

`pivotal_tracker_source` works in any dlt pipeline. `ingest.pipeline` loads the same resources into
a warehouse, and adds locking, incremental reading and the clean-up of failed loads.
"""

from __future__ import annotations

import uuid
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, Protocol

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.schema.typing import TColumnSchema, TTableSchema
from dlt.common.schema.utils import dlt_load_id_column, new_table
from dlt.extract import DltResource, DltSource
from dlt.extract.exceptions import CurrentSourceNotAvailable

from ingest.contract import admitted, keep_one_row_per_key, rejected_row_records
from ingest.records import Drift, removal_rows, to_arrow
from ingest.run.settings import TrackerSettings, load_settings
from ingest.tables import TABLES, Table
from ingest.warehouses.base import Warehouse, WarehouseError
from ingest.warehouses.stored import Stored

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient
    from ingest.api.progress import ReportProgress
    from ingest.api.reader import ApiReader

SourceKind = Literal["api", "demo", "archive"]
Rows = Callable[[], Iterator[pa.Table]]

# The key under which a load package records which tables also have all rows of another one.
COPIED_TABLES = "copied_tables"

_BATCH_BYTES = 16 * 1024 * 1024
# Small lists that every run reads completely. Only rows that differ from the stored ones are
# loaded, so that a run without changes loads nothing.
_COMPARED_TABLES = frozenset({"projects", "me", "accounts", "notifications"})


class Reader(Protocol):
    """The interface of all readers: they return rows of the raw tables, table by table."""

    @property
    def as_of(self) -> datetime:
        """The time that the data describes; available once reading the first table has started."""
        ...

    @property
    def project_ids(self) -> Sequence[int]:
        """The projects that are read."""
        ...

    @property
    def requests_count(self) -> int:
        """HTTP requests made so far."""
        ...

    @property
    def skipped(self) -> list[str]:
        """What could not be read, one sentence each."""
        ...

    @property
    def failed_project_ids(self) -> list[int]:
        """Projects that should have been read but were not."""
        ...

    @property
    def drift(self) -> Drift:
        """Fields and values that did not fit the declared tables."""
        ...

    @property
    def extract_mode(self) -> str:
        """Whether everything was read (`full`), or only what changed (`incremental`)."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """How the projects were read, one sentence each; available after reading."""
        ...

    def continue_from(self, stored: Stored, can_copy_tables: bool = False) -> None:
        """Take the stored rows into account; called before the first table is read.

        Args:
            stored: the stored rows of the warehouse.
            can_copy_tables: whether a table's rows can be copied from another table, so that the
                reader need not yield them again (see `copied_tables`).
        """
        ...

    @property
    def copied_tables(self) -> Mapping[str, str]:
        """Tables that also have all rows of another one; available after they were read."""
        ...

    def tables(self) -> list[str]:
        """Names of the raw tables that this reader fills, in reading order."""
        ...

    def read(self, table_name: str) -> Iterator[pa.Table]:
        """Read the rows of one raw table, with exactly its Arrow schema.

        Of several rows with the same key the newest is loaded (see `ingest.contract`). A row with
        `is_removed` deletes the stored row.
        """
        ...

    def keys_listed(self, table_name: str, project_id: int) -> set[tuple[Any, ...]] | None:
        """The keys of all rows of a project, if a complete list was read; otherwise None."""
        ...

    def failure(self, rows: Mapping[str, int]) -> str | None:
        """Why the run counts as failed although it loaded what it could, or None.

        Args:
            rows: the number of loaded rows, by table.
        """
        ...

    def as_of_files(self) -> Mapping[str | None, str | None]:
        """The time that each file describes, by file name; empty if no files were read."""
        ...

    def close(self) -> None:
        """Free what only reading needs; called before loading, when all tables have been read."""
        ...


@dataclass
class Extract:
    """One read of a source, which becomes a row of `extracts`.

    Attributes:
        reader: the reader.
        source_kind: the kind of the source.
        source_name: the name of the source.
        stored: the stored rows of the warehouse.
        can_copy_tables: whether the caller copies tables as `COPIED_TABLES` of the package says.
        started_at: when reading started, by the local clock.
        rows_by_table: the number of rows read so far.
    """

    reader: Reader
    source_kind: SourceKind
    source_name: str
    stored: Stored = field(default_factory=lambda: Stored(None))
    can_copy_tables: bool = False
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    rows_by_table: Counter[str] = field(default_factory=Counter)

    def tables(self) -> dict[str, Rows]:
        """A function that reads each raw table, in reading order."""
        return {
            **{name: partial(self._read, TABLES[name]) for name in self.reader.tables()},
            "rejected_rows": self._rejected_rows,
            "extracts": self._extract_row,
        }

    def read_whole(self, name: str, rows: Rows) -> Iterator[pa.Table]:
        """Read a complete table, then yield one row per key.

        As dlt may alternate between resources, this also keeps the tables in reading order.
        """
        with TemporaryDirectory() as folder:
            for number, batch in enumerate(rows()):
                pq.write_table(batch, Path(folder) / f"{name}.{number:06}.parquet")
            replaced = keep_one_row_per_key(Path(folder))
            self.rows_by_table[name] -= replaced.get(name, 0)
            for file in sorted(Path(folder).iterdir()):
                yield pq.read_table(file)

    def _read(self, table: Table) -> Iterator[pa.Table]:
        self.rows_by_table[table.name] = 0
        for batch in _in_large_batches(self.reader.read(table.name)):
            self.rows_by_table[table.name] += batch["is_removed"].null_count
            yield from self._differing(table, admitted(table, batch, self.reader.drift))
        yield from self._removed_rows(table)
        copied_from = self.reader.copied_tables.get(table.name)
        if copied_from:
            self.rows_by_table[table.name] += self.rows_by_table[copied_from]
            yield table.arrow_schema.empty_table()  # so that dlt knows the table
            dlt.current.destination_state().setdefault(COPIED_TABLES, {})[table.name] = copied_from

    def _differing(self, table: Table, rows: pa.Table) -> Iterator[pa.Table]:
        """Skip rows of a compared table that are already stored with the same values.

        A project's row also records that it was read, so it is skipped only if a sync could
        continue from the stored row.
        """
        stored = self.stored.small_rows(table.name) if table.name in _COMPARED_TABLES else None
        if stored is not None:
            known = {
                tuple(row.values())
                for row in stored.to_pylist()
                if table.name != "projects" or row["id"] in self.stored.projects
            }
            differs = [tuple(row.values()) not in known for row in rows.to_pylist()]
            rows = rows.filter(pa.array(differs, pa.bool_()))
        if rows.num_rows:
            yield rows

    def _removed_rows(self, table: Table) -> Iterator[pa.Table]:
        """Yield deletions of rows that are no longer in a complete list."""
        if table.scope is None:
            return
        reader = self.reader
        listed = {each: reader.keys_listed(table.name, each) for each in reader.project_ids}
        if all(keys is None for keys in listed.values()):
            return
        stored = self.stored.keys_by_project(table.name)
        # A row that another project lists now has moved there: it is replaced, not removed.
        listed_somewhere = {key for keys in listed.values() if keys is not None for key in keys}
        for project_id, keys in listed.items():
            if keys is not None:
                removed = stored.get(project_id, set()) - listed_somewhere
                if removed:
                    yield removal_rows(table, sorted(removed))

    def _rejected_rows(self) -> Iterator[pa.Table]:
        reader = self.reader
        as_of = {None: reader.as_of.isoformat(), **reader.as_of_files()}
        records = rejected_row_records(reader.drift.rejections, as_of)
        self.rows_by_table["rejected_rows"] = len(records)
        if records:
            yield to_arrow(TABLES["rejected_rows"], records, self.source_kind, reader.drift)

    def _extract_row(self) -> Iterator[pa.Table]:
        reader = self.reader
        record = {
            "extract_id": str(uuid.uuid4()),
            "source_kind": self.source_kind,
            "source_name": self.source_name,
            "extract_mode": reader.extract_mode,
            "project_ids": list(reader.project_ids),
            "requests_count": reader.requests_count,
            "records_count": self.rows_by_table.total(),
            "records_by_table": dict(self.rows_by_table),
            "skipped": reader.skipped,
            "as_of": reader.as_of.isoformat(),
            "started_at": self.started_at.isoformat(),
            "ended_at": datetime.now(UTC).isoformat(),
        }
        yield to_arrow(TABLES["extracts"], [record], self.source_kind, reader.drift)


def pivotal_tracker_source(**settings: Any) -> DltSource:  # noqa: ANN401 - as load_settings
    """A Tracker workspace as a dlt source: one resource per raw table, for any pipeline.

    Every run reads everything that the token can see and merges it by key. Tables that are not
    selected (`with_resources`) are not requested. `python -m ingest` uses the same resources, but
    reads only changes, and removes rows that Tracker no longer lists.

    Args:
        **settings: override `[sources.pivotal_tracker_source]`: `api_token`, `base_url`,
            `project_ids` and the other attributes of `TrackerSettings`.

    Raises:
        SettingsError: if there is no token, or a setting is invalid.
        TrackerError: during extraction, if the workspace cannot be read.
    """
    from ingest.api.http.client import ClientSettings, TrackerClient

    chosen = load_settings(**settings)
    chosen.require_credentials()
    client = TrackerClient(
        chosen.base_url, chosen.api_token, ClientSettings(**chosen.client_settings)
    )
    if not chosen.api_token:
        client.login(chosen.username or "", chosen.password or "")
    reader = api_reader(client, chosen, is_selected=_is_selected)
    weakref.finalize(reader, client.close)
    return resources_of(Extract(reader, "api", chosen.base_url))


def api_reader(
    client: TrackerClient,
    settings: TrackerSettings,
    progress: ReportProgress | None = None,
    **chosen: Any,  # noqa: ANN401 - as ApiOptions
) -> ApiReader:
    """Create an API reader with these settings; `chosen` are other attributes of `ApiOptions`."""
    from ingest.api.lists.catalogue import ApiOptions
    from ingest.api.reader import ApiReader

    options = ApiOptions(
        history_days=settings.history_days,
        cycle_time_details=settings.cycle_time_details,
        iteration_analytics=settings.iteration_analytics,
        **{"project_ids": settings.chosen_project_ids(), **chosen},
    )
    return ApiReader(client, options, Drift(nested_levels=settings.nested_levels), progress)


def _is_selected(table_name: str) -> bool:
    """Whether dlt extracts a table; outside of a source, all tables count as selected."""
    try:
        return table_name in dlt.current.source().selected_resources
    except CurrentSourceNotAvailable:
        return True


def resources_of(extract: Extract, warehouse: Warehouse | None = None) -> DltSource:
    """The dlt source of one extract: a resource for each raw table.

    Missing raw tables are created even without rows, because models read every one of them.

    Args:
        extract: the extract.
        warehouse: the warehouse of `ingest.pipeline`, which removes duplicate keys in the load
            package; None for any other pipeline, for which the resources remove duplicate keys.

    Raises:
        WarehouseError: during extraction, if a failed project would be missing from replaced files.
    """
    extract.reader.continue_from(extract.stored, extract.can_copy_tables)
    merges = warehouse is None or warehouse.merges
    reading = extract.tables()
    if not merges:
        reading["extracts"] = partial(_rows_unless_failed, extract.reader, reading["extracts"])
    missing = [name for name in TABLES if name not in extract.stored.complete_tables]
    creates_tables = warehouse is not None and warehouse.creates_tables
    if not creates_tables:
        unfilled: dict[str, Rows] = {name: _no_rows for name in missing if name not in reading}
        reading = {
            name: partial(_rows_after_none, TABLES[name], rows) if name in missing else rows
            for name, rows in {**unfilled, **reading}.items()
        }
    if warehouse is None:
        reading = {name: partial(extract.read_whole, name, rows) for name, rows in reading.items()}
    hints = {"write_disposition": "merge"} if warehouse is None else warehouse.hints
    if merges:  # otherwise all rows are replaced
        hints = {**hints, "columns": {"is_removed": {"hard_delete": True}}}
    resources = [_resource(TABLES[name], rows, hints) for name, rows in reading.items()]
    source = dlt.source(lambda: resources, name="pivotal_tracker")()
    if creates_tables:
        for name in missing:
            source.schema.update_table(_declared(TABLES[name]))
    return source


def _rows_unless_failed(reader: Reader, rows: Rows) -> Iterator[pa.Table]:
    """Fail if a project could not be read, because its stored rows would be lost."""
    if reader.failed_project_ids:
        failed = ", ".join(map(str, reader.failed_project_ids))
        raise WarehouseError(
            f"nothing was loaded: project {failed} could not be read, and would be missing from "
            f"the replaced files ({'; '.join(reader.skipped)})"
        )
    yield from rows()


def _no_rows() -> Iterator[pa.Table]:
    yield from ()


def _rows_after_none(table: Table, rows: Rows) -> Iterator[pa.Table]:
    """Yield an empty table first, so that dlt creates the table, then the rows."""
    yield table.arrow_schema.empty_table()
    yield from rows()


def _declared(table: Table) -> TTableSchema:
    """The dlt schema of a table: its columns, and the load id."""
    columns: list[TColumnSchema] = [
        {**hints, "name": name} for name, hints in table.dlt_columns.items()
    ]
    return new_table(table.name, columns=[*columns, dlt_load_id_column()])


def _resource(table: Table, rows: Rows, hints: dict[str, Any]) -> DltResource:
    """The dlt resource of a table; dlt takes the columns from the rows' Arrow schema."""
    resource: DltResource = dlt.resource(
        rows(), name=table.name, primary_key=table.key, file_format="parquet", **hints
    )
    return resource


def _in_large_batches(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Combine small batches, because dlt takes about 20 ms per item, however small."""
    pages: list[pa.Table] = []
    size = 0
    for batch in batches:
        pages.append(batch)
        size += batch.nbytes
        if size >= _BATCH_BYTES:
            yield pa.concat_tables(pages)
            pages, size = [], 0
    if pages:
        yield pa.concat_tables(pages)
