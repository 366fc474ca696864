"""A warehouse that is loaded without dlt, which takes a fraction of the time.

It uses the real reader, stored state and source, and writes with a few statements.
`tests/ingest/test_pipeline.py` tests loading through dlt.
"""

import json
import shutil

import duckdb
import pyarrow as pa

from ingest.api.http.client import TrackerClient
from ingest.api.lists.catalogue import ApiOptions
from ingest.api.reader import ApiReader
from ingest.source import Extract
from ingest.tables import TABLES
from ingest.warehouses.base import DATASET
from ingest.warehouses.stored import Stored

CURRENT_NAMES = ("name", "story_type")


class QuickWarehouse:
    """A DuckDB file with the raw tables."""

    def __init__(self, path, copied_from=None):
        self.path = path
        self.loads_count = 0
        if copied_from is not None:
            shutil.copyfile(copied_from, path)
            self.loads_count = 1
            return
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"create schema {DATASET}")
            connection.execute(f"create table {DATASET}._dlt_loads (load_id text, status bigint)")

    def sync(self, server, source_kind="api", source_name="the host", **options):
        """Load from a server; return the reader with its `requested_paths` and `loaded` counts."""
        first = len(server.requests)
        with (
            TrackerClient(server.base_url, server.token) as client,
            Stored(self.path, source_kind, source_name) as stored,
        ):
            reader = ApiReader(client, ApiOptions(**options))
            reader.continue_from(stored)
            extract = Extract(reader, source_kind, source_name, stored)
            tables = {name: list(rows()) for name, rows in extract.tables().items()}
        self.load(tables)
        reader.requested_paths = [each.path for each in server.requests[first:]]
        reader.loaded = {
            name: sum(batch.num_rows for batch in batches)
            for name, batches in tables.items()
            if any(batch.num_rows for batch in batches)
        }
        assert server.failures == []
        return reader

    def tables(self, *names):
        """The rows of raw tables by name and key, as a reader returns them."""
        found = {}
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for name in names:
                columns = ", ".join(f'"{column}"' for column in TABLES[name].all_columns)
                rows = connection.sql(f"select {columns} from {DATASET}.{name}").to_arrow_table()
                found[name] = by_key(name, rows.cast(TABLES[name].arrow_schema).to_pylist())
        return found

    def rows(self, name):
        """The rows of one raw table by key."""
        return self.tables(name)[name]

    def execute(self, statement):
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(statement).fetchall()

    def load(self, tables):
        self.loads_count += 1
        load_id = str(self.loads_count)
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("begin")
            for name, table in TABLES.items():
                new = pa.concat_tables([table.arrow_schema.empty_table(), *tables.get(name, [])])
                if load_id != "1" and not new.num_rows:
                    continue
                keys = new.select(list(table.key)).to_pylist()
                assert len({tuple(key.values()) for key in keys}) == len(keys), (
                    f"{name}: a key twice"
                )
                connection.execute(
                    f"create table if not exists {DATASET}.{name} as "
                    f"select *, '' as _dlt_load_id from new limit 0"
                )
                same_key = " and ".join(f"new.{key} = stored.{key}" for key in table.key)
                connection.execute(
                    f"delete from {DATASET}.{name} as stored using new where {same_key}"
                )
                connection.execute(
                    f"insert into {DATASET}.{name} by name "
                    f"select *, '{load_id}' as _dlt_load_id from new where is_removed is not true"
                )
            connection.execute(f"insert into {DATASET}._dlt_loads values ('{load_id}', 0)")
            connection.execute("commit")


def by_key(name, rows):
    return {tuple(row[column] for column in TABLES[name].key): row for row in rows}


def differences(warehouse, server, **options):
    """The differences from a new first load: table -> key -> (stored, read).

    Ignores deleted stories (dbt reconstructs them from activities), names in activities, which are
    those at the time of reading, and notifications that the host no longer returns.
    """
    with TrackerClient(server.base_url, server.token) as client:
        reader = ApiReader(client, ApiOptions(**options))
        found, stored = {}, warehouse.tables(*reader.tables())
        for name in reader.tables():
            read = by_key(name, [row for batch in reader.read(name) for row in batch.to_pylist()])
            found[name] = row_differences(
                _comparable(name, stored[name], server.workspace),
                _comparable(name, read, server.workspace),
            )
    return {name: each for name, each in found.items() if each}


def row_differences(stored, read):
    return {
        key: (stored.get(key), read.get(key))
        for key in stored.keys() | read.keys()
        if stored.get(key) != read.get(key)
    }


def _comparable(name, rows, workspace):
    deleted = workspace.deleted_stories
    if name == "stories":
        return {key: row for key, row in rows.items() if row["id"] not in deleted}
    if name == "story_transitions":
        return {key: row for key, row in rows.items() if row["story_id"] not in deleted}
    if name == "notifications":
        return {}
    if name in ("activity", "my_activity"):
        return {key: _without_names(row) for key, row in rows.items()}
    return rows


def _without_names(row):
    row = dict(row)
    for column in ("changes", "primary_resources"):
        resources = json.loads(row[column])
        row[column] = [
            {key: value for key, value in each.items() if key not in CURRENT_NAMES}
            for each in resources
        ]
    return row
