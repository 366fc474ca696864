"""The declaration of a raw table: column types, and the columns that every table has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

if TYPE_CHECKING:
    from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns

ColumnType = Literal["bigint", "decimal", "double", "text", "bool", "timestamp", "date", "json"]

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "bigint": pa.int64(),
    "decimal": pa.decimal128(18, 4),  # points: a custom scale may have fractions
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
    # A JSON object of undeclared fields, and of values that do not fit their declared type.
    "extra_fields": "json",
    # The kind of source: api, stories_csv, history_csv, json, or activity (a story known only from
    # its activities).
    "record_source": "text",
    # Archives only: the file's path as given to the run, and the line on which the row starts.
    "source_file": "text",
    "source_line": "bigint",
    # True if the file gives dates without times: timestamps are then local midnight.
    "is_date_only": "bool",
    # True tells dlt to delete the row with this key; such rows are never stored.
    "is_removed": "bool",
}


@dataclass(frozen=True)
class Table:
    """One raw table.

    Attributes:
        name: the table's name in the dataset `pivotal_tracker_data`.
        description: what one row is, and the API path that it comes from.
        key: the columns that identify a row; rows are merged on them.
        columns: declared columns and their types, in order, without `ROW_COLUMNS`.
        ignored: fields that are dropped on purpose, with the reason in a comment where declared.
        scope: the column by which listings are complete: rows with the same value that are missing
            from a complete listing are removed. None: rows are never removed.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: dict[str, ColumnType]
    ignored: frozenset[str] = frozenset({"kind"})
    scope: str | None = None

    @property
    def all_columns(self) -> dict[str, ColumnType]:
        """The declared columns, followed by those that every raw table has."""
        return {**self.columns, **ROW_COLUMNS}

    @property
    def arrow_schema(self) -> pa.Schema:
        """The schema of the Arrow tables that dlt receives for this table."""
        return pa.schema(
            pa.field(name, ARROW_TYPES[kind], nullable=name not in self.key)
            for name, kind in self.all_columns.items()
        )

    @property
    def dlt_columns(self) -> TTableSchemaColumns:
        """Column hints for dlt: types, nullability, and the hard-delete column."""
        hints: TTableSchemaColumns = {}
        for name, kind in self.all_columns.items():
            hints[name] = {**_DLT_TYPES[kind], "nullable": name not in self.key}
        hints["is_removed"]["hard_delete"] = True
        return hints
