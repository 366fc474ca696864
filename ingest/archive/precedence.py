"""Decide between stored rows and the records of a file."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import pyarrow as pa

from ingest.archive.csv.exports import panel_of
from ingest.archive.id_set import IdSet
from ingest.archive.versions import CLOCKS, Version, version_of
from ingest.records import Origin, Record, marked_deleted
from ingest.tables import TABLES
from ingest.warehouses.stored import Stored


class Precedence:
    """Compares the records of files with stored rows."""

    def __init__(self, stored: Stored) -> None:
        """Compare with these stored rows, which are queried when needed."""
        self._stored = stored
        self._versions = cache(self._versions_of)

    def has_rows(self, table_name: str) -> bool:
        """Whether any row of a table is stored."""
        return bool(self._versions(table_name))

    def is_stored(self, table_name: str, *key: object) -> bool:
        """Whether a row with this key is stored."""
        return key in self._versions(table_name)

    def is_trusted_over(
        self, table_name: str, record: Record, origin: Origin, as_of: datetime
    ) -> bool:
        """Whether the stored row with a record's key takes precedence over the record.

        Args:
            table_name: the raw table.
            record: a record of a file.
            origin: where it was read from.
            as_of: when the file was made.
        """
        key = tuple(record.get(name) for name in TABLES[table_name].key)
        stored = self._versions(table_name).get(key)
        return stored is not None and stored > version_of(record, origin.record_source, as_of)

    def stored_panels(self, project_id: int) -> set[str]:
        """The panels of the project's stored stories that came from exports."""
        return {panel_of(state) for state in self._stored.states_in_exports(project_id).values()}

    def deleted_stories(
        self, project_id: int, seen: IdSet, panels: set[str], as_of: datetime
    ) -> pa.Table:
        """Stored CSV stories that are missing from a complete newer export, marked as deleted.

        Args:
            project_id: the project.
            seen: the ids of the stories in the export.
            panels: the panels for which the export has rows.
            as_of: when the export was made.
        """
        versions = self._versions("stories")
        rows = self._stored.story_rows(
            story_id
            for story_id, state in self._stored.states_in_exports(project_id).items()
            if story_id not in seen
            and panel_of(state) in panels
            and versions[story_id,].read_at < as_of
        )
        return marked_deleted(rows, "export", as_of)

    def _versions_of(self, table_name: str) -> dict[tuple[Any, ...], Version]:
        """The version of each stored row, by key."""
        fields = [each for each in (*CLOCKS, "version") if each in TABLES[table_name].columns]
        return {
            key: version_of(row.record, row.record_source, row.as_of)
            for key, row in self._stored.sources(table_name, fields).items()
        }
