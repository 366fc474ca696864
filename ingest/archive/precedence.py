"""What the warehouse holds already, and which of it stays when a file says something else."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingest.archive.csv.exports import panel_of
from ingest.archive.versions import CLOCKS, Version, version_of
from ingest.records import Origin, Record
from ingest.tables import TABLES
from ingest.warehouses.base import DATASET, NothingThere, Warehouse
from ingest.warehouses.configured import warehouse_of

Key = tuple[Any, ...]


class HeldRows:
    """The rows of a warehouse, as a reader of archives looks at them.

    Only looked at while a file is read: a warehouse that does not exist, or whose rows this run
    replaces, holds nothing.
    """

    def __init__(self, place: Path | Warehouse | None) -> None:
        """Look at a warehouse, or the DuckDB file at a path; at none when it is None."""
        warehouse = None if place is None else warehouse_of(place)
        is_kept = warehouse is not None and warehouse.merges and warehouse.is_there()
        self._warehouse = warehouse if is_kept else None
        self.rows = cache(self._rows_of)

    def is_trusted_over(self, table: str, record: Record, origin: Origin, as_of: datetime) -> bool:
        """Whether the stored row with a record's key stays.

        Args:
            table: the raw table.
            record: what a file tells.
            origin: where that was read from.
            as_of: when the file was made.
        """
        held = self.rows(table).get(tuple(record.get(name) for name in TABLES[table].key))
        if held is None:
            return False
        return held > version_of(record, origin.record_source, as_of)

    def project_of(self, story_ids: Iterable[int]) -> int | None:
        """The project of most of these stories; None when the warehouse has none of them."""
        found = self._query(
            "select project_id from {dataset}.stories where id = any(?) "
            "group by project_id order by count(*) desc, project_id desc limit 1",
            [list(story_ids)],
        )
        return found[0][0] if found else None

    def label_ids(self, project_id: int) -> dict[str, int]:
        """Label ids of a project by lower-case name; Tracker's own where there are two."""
        found = self._query(
            "select name, id from {dataset}.labels where project_id = ? order by id", [project_id]
        )
        return {name.lower(): identity for name, identity in found if name}

    def time_zone(self, project_id: int) -> str | None:
        """The Olson name of a project's zone, where Tracker told it."""
        found = self._query(
            "select time_zone from {dataset}.projects "
            "where id = ? and time_zone is not null and record_source != 'stories_csv'",
            [project_id],
        )
        return json.loads(found[0][0]).get("olson_name") if found else None

    def people(self) -> list[tuple[int, str]]:
        """Ids and names of members and of people that dumps named."""
        members = self._query("select person from {dataset}.memberships where person is not null")
        people = [json.loads(person) for (person,) in members]
        named = self._query("select id, name from {dataset}.people where name is not null")
        return [(each.get("id", 0), each.get("name", "")) for each in people] + named

    def next_export(self, project_id: int, as_of: datetime) -> tuple[datetime | None, set[str]]:
        """The first whole export that was made after an instant, and the panels that it has.

        Of a project whose later export is loaded already, an older one tells what was deleted.
        """
        made_at = self._query(
            "select min(as_of) from {dataset}.archive_files where project_id = ? "
            "and file_kind = 'stories_csv' and is_whole and as_of > ?",
            [project_id, as_of],
        )
        states = self._query(
            "select distinct current_state from {dataset}.stories where project_id = ? "
            "and record_source = 'stories_csv' and is_deleted is not true",
            [project_id],
        )
        return (made_at[0][0] if made_at else None), {panel_of(state) for (state,) in states}

    def stories_gone(
        self, project_id: int, seen: Container[int], panels: set[str], as_of: datetime
    ) -> pa.Table:
        """Rows of CSV stories that a whole newer export lacks, marked as deleted.

        Args:
            project_id: the project.
            seen: the stories that the export has.
            panels: the parts of the project that the export has rows of.
            as_of: when it was made.
        """
        table = TABLES["stories"]
        found = self._query(
            "select id, current_state from {dataset}.stories where project_id = ? "
            "and record_source = 'stories_csv' and is_deleted is not true",
            [project_id],
        )
        older = self.rows("stories")
        gone = [
            identity
            for identity, state in found
            if identity not in seen
            and panel_of(state) in panels
            and older[identity,].read_at < as_of
        ]
        if not gone:
            return table.arrow_schema.empty_table()
        columns = ", ".join(
            {
                "is_deleted": "true as is_deleted",
                "delete_evidence": "'export' as delete_evidence",
                "deleted_at": "cast(? as timestamp with time zone) as deleted_at",
            }.get(name, f'"{name}"')
            for name in table.all_columns
        )
        statement = f"select {columns} from {DATASET}.stories where id = any(?)"
        with self._warehouse.reading() as reading:
            return reading.table(statement, [as_of, gone], table.arrow_schema)

    def _rows_of(self, table: str) -> dict[Key, Version]:
        """Key -> the version that is stored."""
        declared = TABLES[table]
        names = [each for each in (*CLOCKS, "version") if each in declared.columns]
        columns = ", ".join(f'held."{name}"' for name in (*declared.key, *names))
        # That a story was deleted is known as of its deletion.
        as_of = "greatest(files.as_of, held.deleted_at)" if table == "stories" else "files.as_of"
        found = self._query(
            f"select {columns}, held.record_source, {as_of} from {{dataset}}.{table} as held "
            "left join {dataset}.archive_files as files on held.source_file = files.file"
        )
        width = len(declared.key)
        return {
            row[:width]: version_of(dict(zip(names, row[width:-2], strict=True)), *row[-2:])
            for row in map(tuple, found)
        }

    def _query(self, statement: str, parameters: list[Any] | None = None) -> list[tuple]:
        if self._warehouse is None:
            return []
        with self._warehouse.reading() as reading:
            try:
                return reading.rows(statement.format(dataset=DATASET), parameters or [])
            except NothingThere:
                return []  # of an older release, without that table or column
