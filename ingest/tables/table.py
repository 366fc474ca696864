"""How a raw table is declared: column types, and the columns that every table has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

if TYPE_CHECKING:
    from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns

ColumnType = Literal["bigint", "decimal", "double", "text", "bool", "timestamp", "date", "json"]

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "bigint": pa.int64(),
    "decimal": pa.decimal128(18, 4),  # points: a custom scale may hold fractions
    "double": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "json": pa.string(),  # text, so that every destination stores the same bytes
}

_DLT_TYPES: dict[ColumnType, TColumnSchema] = {
    "bigint": {"data_type": "bigint"},
    "decimal": {"data_type": "decimal", "precision": 18, "scale": 4},
    "double": {"data_type": "double"},
    "text": {"data_type": "text"},
    "bool": {"data_type": "bool"},
    "timestamp": {"data_type": "timestamp", "precision": 6},
    "date": {"data_type": "date"},
    "json": {"data_type": "text"},
}

ROW_COLUMNS: dict[str, ColumnType] = {
    # Fields that nobody declared, and values that did not fit their declared type, as one object.
    "extra_fields": "json",
    # Where the row was read from: api, stories_csv, history_csv, json, or activity (a story that
    # only its activities still tell of).
    "record_source": "text",
    # Archives only: the file, as it was named to the run, and the line that the row begins on.
    "source_file": "text",
    "source_line": "bigint",
    # True when the file gave days, so that the instants are local midnights of the project's zone.
    "is_date_only": "bool",
    # True orders dlt to delete the row with this key; no such row is ever stored.
    "is_removed": "bool",
}


@dataclass(frozen=True)
class Table:
    """One raw table.

    Attributes:
        name: the table's name in the dataset `pivotal_tracker_data`.
        description: what one row is, and the API path it comes from.
        key: the columns that identify a row; rows are merged on them.
        columns: declared columns and their types, in order, without `ROW_COLUMNS`.
        ignored: fields that are dropped on purpose, with the reason in a comment where declared.
        scope: the column within which one listing is whole: rows of the same scope that a whole
            listing no longer holds are removed. None: rows are never removed.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: dict[str, ColumnType]
    ignored: frozenset[str] = frozenset({"kind"})
    scope: str | None = None

    @property
    def all_columns(self) -> dict[str, ColumnType]:
        """Declared columns followed by those that every raw table has."""
        return {**self.columns, **ROW_COLUMNS}

    @property
    def arrow_schema(self) -> pa.Schema:
        """The schema of every Arrow table that is handed to dlt for this table."""
        return pa.schema(
            pa.field(name, ARROW_TYPES[kind], nullable=name not in self.key)
            for name, kind in self.all_columns.items()
        )

    @property
    def dlt_columns(self) -> TTableSchemaColumns:
        """Column hints for dlt: types, nullability, and the column that orders a deletion."""
        hints: TTableSchemaColumns = {}
        for name, kind in self.all_columns.items():
            hints[name] = {**_DLT_TYPES[kind], "nullable": name not in self.key}
        hints["is_removed"]["hard_delete"] = True
        return hints
