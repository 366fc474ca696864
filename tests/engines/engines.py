"""The engines under test: how to load, build and query them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet
from deltalake import DeltaTable

from tests.conftest import BIN, ROOT, WITH_UNIT_TESTS, environment, ingest
from tests.engines.postgres_server import PostgresServer
from tests.engines.s3_server import S3Server

RAW = "pivotal_tracker_data"


@dataclass
class Engine:
    """A warehouse on an engine; `folder` has dbt's artifacts and the run logs."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The DuckDB file; other engines do not use it."""
        return self.folder / "warehouse.duckdb"

    def environment(self) -> dict[str, str]:
        named = [name for name in os.environ if name.startswith(("PG", "AWS_"))]
        own = {name: os.environ.pop(name) for name in named}
        try:
            return environment(
                self.path,
                DBT_TARGET_PATH=str(self.folder / "target"),
                DBT_LOG_PATH=str(self.folder / "logs"),
                **self.settings,
            )
        finally:
            os.environ.update(own)

    def run(self, *command: object) -> subprocess.CompletedProcess:
        """Run a command in the repository, like a user."""
        return subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
            env=self.environment(),
        )

    def ingest(self, *arguments: object) -> subprocess.CompletedProcess:
        return self.run(sys.executable, "-m", "ingest", *arguments)

    def ingest_here(self, *arguments: str, **source: str) -> subprocess.CompletedProcess:
        """Run ingestion in this process, from a server in this process."""
        return ingest(*arguments, warehouse=self.path, engine=self.settings, **source)

    def dbt(self, *arguments: object) -> subprocess.CompletedProcess:
        return self.run(BIN / "dbt", *arguments)

    def build(self) -> None:
        """Build all models and run all tests, including unit tests."""
        built = self.dbt("build", *WITH_UNIT_TESTS)
        assert built.returncode == 0, built.stdout[-6000:]
        assert "WARN=0 ERROR=0 SKIP=0" in built.stdout, built.stdout[-600:]

    def load_demo(self) -> None:
        """Load the demo and build it."""
        loaded = self.ingest("demo")
        assert loaded.returncode == 0, loaded.stderr
        self.build()

    def manifest(self) -> dict:
        return json.loads((self.folder / "target" / "manifest.json").read_text())

    def query(self, statement: str) -> list[dict]:
        raise NotImplementedError


class DuckDBEngine(Engine):
    def query(self, statement: str) -> list[dict]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return _dicts(connection.execute(statement))

    def execute(self, *statements: str) -> None:
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for statement in statements:
                connection.execute(statement)


class PostgresEngine(Engine):
    @classmethod
    def of(cls, server: PostgresServer, folder: Path) -> PostgresEngine:
        """Create a database on a server, named like the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, server.create_database(folder.name))

    @contextlib.contextmanager
    def connection(self):
        import psycopg2

        settings = self.settings
        connection = psycopg2.connect(
            host=settings["PGHOST"],
            port=settings["PGPORT"],
            user=settings["PGUSER"],
            password=settings["PGPASSWORD"],
            dbname=settings["PGDATABASE"],
            options="-c TimeZone=UTC",
        )
        connection.autocommit = True
        with contextlib.closing(connection):
            yield connection

    def query(self, statement: str) -> list[dict]:
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return _dicts(cursor)

    def execute(self, *statements: str) -> None:
        with self.connection() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


class FilesEngine(Engine):
    """Tables as Delta files, read independently of the code under test."""

    @classmethod
    def in_a_folder(cls, folder: Path, **settings: str) -> FilesEngine:
        """Use a folder whose name contains characters that a URL must quote."""
        url = str(folder / "raw ü 100%")
        return cls(folder, {"WAREHOUSE_TARGET": "files", "WAREHOUSE_FILES": url} | settings)

    @classmethod
    def in_a_bucket(cls, server: S3Server, folder: Path) -> FilesEngine:
        """Use a new bucket on a server."""
        bucket = f"bucket-{time.time_ns()}"
        server.create_bucket(bucket)
        return cls(folder, server.settings(bucket))

    @property
    def url(self) -> str:
        return self.settings["WAREHOUSE_FILES"]

    def delta(self, table: str, schema: str = RAW) -> DeltaTable:
        """A table, by default a raw one."""
        return DeltaTable(f"{self.url}/{schema}/{table}", None, self._options())

    def rows(self, table: str, schema: str = RAW) -> pa.Table:
        """All rows of a table."""
        if self.settings.get("WAREHOUSE_FILES_FORMAT") == "parquet":
            return pyarrow.parquet.read_table(f"{self.url}/{schema}/{table}")
        return self.delta(table, schema).to_pyarrow_table()

    def _options(self) -> dict[str, str]:
        named = {name: value for name, value in self.settings.items() if name.startswith("AWS_")}
        return {**named, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}

    def query(self, statement: str) -> list[dict]:
        with duckdb.connect() as connection:
            connection.execute(f"set TimeZone = 'UTC'; create schema {RAW}; create schema marts")
            for schema, name in set(re.findall(rf"\b({RAW}|marts)\.(\w+)", statement)):
                connection.register(f"rows_{name}", self.rows(name, schema))
                connection.execute(f"create view {schema}.{name} as from rows_{name}")
            return _dicts(connection.execute(statement))


class SparkEngine(FilesEngine):
    """Files loaded by ingestion, and built by dbt through a Spark Connect server."""

    @classmethod
    def of(cls, server: str, folder: Path) -> SparkEngine:
        """Use new files in a folder; each run of dbt has its own session on the server."""
        named = {"SPARK_REMOTE": server, "WAREHOUSE_FILES": str(folder / "raw")}
        return cls(folder, {"WAREHOUSE_TARGET": "spark", **named})

    def dbt(self, *arguments: object) -> subprocess.CompletedProcess:
        """Run dbt; `build` runs as for users."""
        if arguments[0] == "build":
            return self.run(sys.executable, "-m", "bi.build", *arguments[1:])
        return super().dbt(*arguments)


def _dicts(cursor) -> list[dict]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
