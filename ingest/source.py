"""The dlt source: the rows that a reader gives, as dlt resources of the declared raw tables.

`pivotal_tracker_source` works in any dlt pipeline. `ingest.pipeline` loads the same resources into
a warehouse, and adds a lock, incremental reading and the clean-up of a load that fails.
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
    from ingest.api.reader import ApiReader

SourceKind = Literal["api", "demo", "archive"]
Rows = Callable[[], Iterator[pa.Table]]

_BATCH_BYTES = 32 * 1024 * 1024
# Small lists that come whole in every run; of them only rows that differ from the stored ones are
# loaded, so that nothing is when nothing has changed.
_COMPARED_TABLES = frozenset({"projects", "me", "accounts", "notifications"})


class Reader(Protocol):
    """What all readers have in common: they give rows of the raw tables, table by table."""

    @property
    def as_of(self) -> datetime:
        """The instant that the data describes; known once the first table has been begun."""
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
        """Projects that should have been read and were not."""
        ...

    @property
    def drift(self) -> Drift:
        """What did not fit the declared tables."""
        ...

    @property
    def extract_mode(self) -> str:
        """Whether everything was read (`full`), or only what changed (`incremental`)."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """How the projects were read, one sentence each; known once they have been."""
        ...

    def continue_from(self, stored: Stored) -> None:
        """Learn what the warehouse has already, before the first table is read."""
        ...

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

    def failure(self, rows: Mapping[str, int]) -> str | None:
        """Why a run counts as failed although it loaded what it could; None when it does not.

        Args:
            rows: how many rows were loaded, by table.
        """
        ...

    def as_of_files(self) -> Mapping[str | None, str | None]:
        """The instant that each file describes, by its name; empty where no file was read."""
        ...


@dataclass
class Extract:
    """One read of a source, which becomes a row of `extracts`.

    Attributes:
        reader: gives the rows.
        source_kind: what kind of source it reads.
        source_name: what that source is called.
        stored: what the warehouse has already.
        started_at: when reading began, on the local clock.
        rows_by_table: rows that were given so far.
    """

    reader: Reader
    source_kind: SourceKind
    source_name: str
    stored: Stored = field(default_factory=lambda: Stored(None))
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    rows_by_table: Counter[str] = field(default_factory=Counter)

    def tables(self) -> dict[str, Rows]:
        """What reads each raw table, in reading order."""
        return {
            **{name: partial(self._read, TABLES[name]) for name in self.reader.tables()},
            "rejected_rows": self._rejected_rows,
            "extracts": self._extract_row,
        }

    def read_whole(self, name: str, rows: Rows) -> Iterator[pa.Table]:
        """Read a table to its end, then give one row per key.

        As dlt may take turns between resources, this also reads the tables in their order.
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

    def _differing(self, table: Table, rows: pa.Table) -> Iterator[pa.Table]:
        """Leave out rows of a compared table that are stored exactly so.

        A project's row marks what was read: it is left out only where a sync could continue from
        it.
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
        """Order the removal of rows that a whole listing no longer has."""
        if table.scope is None:
            return
        reader = self.reader
        listed = {each: reader.keys_listed(table.name, each) for each in reader.project_ids}
        if all(keys is None for keys in listed.values()):
            return
        stored = self.stored.keys_by_project(table.name)
        # What another project lists now has moved there: its row is replaced, not removed.
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


def pivotal_tracker_source(**settings: Any) -> DltSource:  # noqa: ANN401
    """A Tracker workspace as a dlt source: one resource per raw table, for any pipeline.

    Every run reads everything that the token sees and merges it by key. Tables that are not
    selected (`with_resources`) are not requested. `python -m ingest` uses the same resources, but
    reads only what has changed, and removes what Tracker no longer lists.

    Args:
        **settings: take the place of what `[sources.pivotal_tracker_source]` says: `api_token`,
            `base_url`, `project_ids` and the other attributes of `TrackerSettings`.

    Raises:
        SettingsError: when there is no token, or a setting cannot be used.
        TrackerError: while a pipeline extracts, when the workspace cannot be read.
    """
    from ingest.api.http.client import TrackerClient

    chosen = load_settings(**settings)
    chosen.require_credentials()
    client = TrackerClient(chosen.base_url, chosen.api_token, **chosen.client_settings)
    if not chosen.api_token:
        client.login(chosen.username or "", chosen.password or "")
    reader = api_reader(client, chosen, is_selected=_is_selected)
    weakref.finalize(reader, client.close)
    return resources_of(Extract(reader, "api", chosen.base_url))


def api_reader(client: TrackerClient, settings: TrackerSettings, **arguments: Any) -> ApiReader:  # noqa: ANN401
    """What reads the API as the settings say; the arguments are those of `ApiReader`."""
    from ingest.api.lists.catalogue import ApiOptions
    from ingest.api.reader import ApiReader

    options = ApiOptions(
        history_days=settings.history_days,
        cycle_time_details=settings.cycle_time_details,
        iteration_analytics=settings.iteration_analytics,
    )
    arguments.setdefault("project_ids", settings.chosen_project_ids())
    return ApiReader(client, options=options, **arguments)


def _is_selected(table_name: str) -> bool:
    """Whether dlt is extracting a table; a resource that is read by itself counts as all."""
    try:
        return table_name in dlt.current.source().selected_resources
    except CurrentSourceNotAvailable:
        return True


def resources_of(extract: Extract, warehouse: Warehouse | None = None) -> DltSource:
    """The dlt source of one extract: a resource for each raw table.

    Models read every raw table, so those that are missing are made.

    Args:
        extract: what is read.
        warehouse: what `ingest.pipeline` loads into, which leaves one row per key in the load
            package; None for any other pipeline, whose resources have one row per key themselves.

    Raises:
        WarehouseError: while a project is missing from files that are replaced whole.
    """
    extract.reader.continue_from(extract.stored)
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
    if merges:  # otherwise there is nothing to remove from
        hints = {**hints, "columns": {"is_removed": {"hard_delete": True}}}
    resources = [_resource(TABLES[name], rows, hints) for name, rows in reading.items()]
    source = dlt.source(lambda: resources, name="pivotal_tracker")()
    if creates_tables:
        for name in missing:
            source.schema.update_table(_declared(TABLES[name]))
    return source


def _rows_unless_failed(reader: Reader, rows: Rows) -> Iterator[pa.Table]:
    """Give up where a project could not be read whose rows the others would replace."""
    if reader.failed_project_ids:
        failed = ", ".join(map(str, reader.failed_project_ids))
        raise WarehouseError(
            f"nothing was loaded: project {failed} could not be read, and would be missing "
            f"from files that are replaced whole ({'; '.join(reader.skipped)})"
        )
    yield from rows()


def _no_rows() -> Iterator[pa.Table]:
    yield from ()


def _rows_after_none(table: Table, rows: Rows) -> Iterator[pa.Table]:
    """A file without rows, which makes the table, and then those with rows."""
    yield table.arrow_schema.empty_table()
    yield from rows()


def _declared(table: Table) -> TTableSchema:
    """A table of which dlt knows the columns; its first rows bring what else is to be known."""
    columns: list[TColumnSchema] = [
        {**hints, "name": name} for name, hints in table.dlt_columns.items()
    ]
    return new_table(table.name, columns=[*columns, dlt_load_id_column()])


def _resource(table: Table, rows: Rows, hints: dict[str, Any]) -> DltResource:
    """What gives dlt the rows of a table; their Arrow schema tells it the columns."""
    resource: DltResource = dlt.resource(
        rows(), name=table.name, primary_key=table.key, file_format="parquet", **hints
    )
    return resource


def _in_large_batches(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Join pages before dlt sees them: each item costs it some 20 ms, however small it is."""
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
