"""The PostgreSQL warehouse (15 or later): one database, configured by the variables of psql."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import pyarrow as pa
from dlt.common.destination.reference import AnyDestination_CO as AnyDestination

from ingest.run.settings import SettingsError
from ingest.tables import TABLES
from ingest.tables.table import ColumnType
from ingest.warehouses.base import (
    DATASET,
    DESTINATION_NAME,
    UPSERT,
    MissingRelation,
    WarehouseError,
    WarehouseInUse,
    causes,
    first_line,
    working_folder,
)
from ingest.warehouses.lock import wait_for

if TYPE_CHECKING:
    import psycopg2
    from psycopg2.extensions import connection as Connection  # noqa: N812

_log = logging.getLogger(__name__)
# An arbitrary number for the advisory lock; other programs in this database must not use it.
_LOCK_KEY = 8_417_250_430
_MIN_VERSION = 150_000
_TYPES: dict[ColumnType, str] = {
    "bigint": "bigint",
    "decimal": "numeric(18,4)",
    "double": "double precision",
    "text": "character varying",
    "bool": "boolean",
    "timestamp": "timestamp(6) with time zone",
    "date": "date",
    "json": "character varying",
}
_INSTALL = "run make setup TARGET=postgres"


@dataclass(frozen=True)
class PostgresSettings:
    """The connection settings. The password never appears in messages or in the repr."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(repr=False)
    ssl_mode: str

    @property
    def url(self) -> str:
        """The settings as one URL."""
        user, password, database = (
            quote(each, safe="") for each in (self.user, self.password, self.database)
        )
        login = f"{user}:{password}" if password else user
        host = "" if self.host.startswith("/") else self.host
        query = f"sslmode={self.ssl_mode}&connect_timeout=15"
        if not host:
            query += f"&host={quote(self.host, safe='')}"
        return f"postgresql://{login}@{host}:{self.port}/{database}?{query}"


def environment_settings() -> PostgresSettings:
    """Read PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and PGSSLMODE.

    Raises:
        SettingsError: if PGPORT is not a number or PGDATABASE is not set.
    """
    port = os.environ.get("PGPORT") or "5432"
    if not port.isdigit():
        raise SettingsError(f"PGPORT is {port!r}, which is not a number")
    database = os.environ.get("PGDATABASE")
    if not database:
        raise SettingsError("PGDATABASE is not set; set it, and PGHOST, PGPORT, PGUSER, PGPASSWORD")
    return PostgresSettings(
        host=os.environ.get("PGHOST") or "localhost",
        port=int(port),
        user=os.environ.get("PGUSER") or "postgres",
        database=database,
        password=os.environ.get("PGPASSWORD") or "",
        ssl_mode=os.environ.get("PGSSLMODE") or "prefer",
    )


class PostgresReadConnection:
    """A read-only connection to PostgreSQL."""

    types = _TYPES

    def __init__(self, connection: Connection) -> None:
        """Use a connection, which must be in autocommit mode."""
        self._connection = connection

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        from psycopg2 import errors

        prepared = statement.replace("%", "%%").replace("?", "%s")
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(prepared, list(parameters))
            except (errors.UndefinedTable, errors.UndefinedColumn) as error:
                raise MissingRelation(str(error)) from error
            return cursor.fetchall()

    def table(self, statement: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """All rows of a statement as an Arrow table."""
        rows = self.rows(statement, parameters)
        columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
        arrays = [pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)]
        return pa.table(arrays, schema=schema)

    def columns(self, table_name: str) -> dict[str, str]:
        """The columns of a raw table and their types; empty if the table does not exist."""
        found = self.rows(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = to_regclass(?) and attnum > 0 and not attisdropped",
            [f"{DATASET}.{table_name}"],
        )
        return dict(found)


class PostgresDatabase:
    """A PostgreSQL database, with the raw tables in their own schema."""

    alternative = "set PGDATABASE to another database"
    load_workers = 4  # each opens about three connections
    hints = UPSERT
    rolls_back_loads = False
    merges = creates_tables = True

    def __init__(self, settings: PostgresSettings) -> None:
        """Keep the settings; no connection is opened.

        Raises:
            WarehouseError: if a driver is not installed.
        """
        try:
            import adbc_driver_postgresql  # noqa: F401
            import psycopg2  # noqa: F401
        except ImportError as error:
            raise WarehouseError(
                f"PostgreSQL requires the package {error.name}; {_INSTALL}"
            ) from None
        self._settings = settings
        self.secrets = (settings.password,)
        self._lock: Connection | None = None

    @property
    def name(self) -> str:
        """Its URL, without the login."""
        settings = self._settings
        return f"postgres://{settings.host}:{settings.port}/{settings.database}"

    @property
    def pipelines_folder(self) -> Path:
        """A folder per database."""
        return working_folder(self.name)

    def destination(self) -> AnyDestination:
        """The dlt destination that writes to it."""
        from ingest.warehouses.postgres.destination import TrackerPostgres

        # No unique indexes: when an interrupted package is loaded again from the start, dlt inserts
        # its pipeline state a second time, which a unique index would reject.
        return TrackerPostgres(
            self._settings.url, create_indexes=False, destination_name=DESTINATION_NAME
        )

    @contextmanager
    def locked(self, wait_seconds: float = 0, what: str = "python -m ingest") -> Iterator[None]:
        """Lock it for one run, by an advisory lock that ends with its connection."""
        self._lock = self._take_lock(wait_seconds, what)
        try:
            yield
        finally:
            self._lock.close()
            self._lock = None

    def lock_until_exit(self, wait_seconds: float, what: str) -> None:
        """Lock it until this process ends, including any program it becomes by `exec`.

        That program inherits the open connection, so the server keeps the lock until it ends.
        """
        self._lock = self._take_lock(wait_seconds, what)
        os.set_inheritable(self._lock.fileno(), True)

    def _take_lock(self, wait_seconds: float, what: str) -> Connection:
        connection = self._connect(f"{what} (PID {os.getpid()})")
        try:
            wait_for(lambda: self._try_lock(connection), wait_seconds)
        except BaseException:
            connection.close()
            raise
        return connection

    def _try_lock(self, connection: Connection) -> None:
        with connection.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s)", [_LOCK_KEY])
            if cursor.fetchall() == [(True,)]:
                return
            cursor.execute(
                "select activities.application_name from pg_locks as locks "
                "inner join pg_stat_activity as activities using (pid) "
                "where locks.locktype = 'advisory' and locks.granted "
                "and (cast(locks.classid as bigint) << 32) + cast(locks.objid as bigint) = %s",
                [_LOCK_KEY],
            )
            found = cursor.fetchone()
        holder = (found and found[0]) or "another run"
        raise WarehouseInUse(
            f"{self.name} is in use by {holder}; wait for it to finish, or use --wait SECONDS"
        )

    @contextmanager
    def prepared(self) -> Iterator[bool]:
        """Check the server's version and the privileges. Yields whether nothing was ever loaded."""
        with self._connection() as connection:
            if connection.server_version < _MIN_VERSION:
                raise WarehouseError(
                    f"{self.name} is PostgreSQL {connection.server_version // 10_000}; "
                    "version 15 or later is required (MERGE)"
                )
            reading = PostgresReadConnection(connection)
            self._require_rights(reading)
            self._set_up_sessions(connection)
            is_new = not reading.columns("extracts")
        yield is_new

    def _require_rights(self, reading: PostgresReadConnection) -> None:
        """Refuse a login without the right to write, before anything is read."""
        database, user = self._settings.database, self._settings.user
        schemas = {name for (name,) in reading.rows("select nspname from pg_namespace")}
        if not {DATASET, f"{DATASET}_staging"} <= schemas:
            allowed = reading.rows("select has_database_privilege(current_database(), 'create')")
            if not allowed[0][0]:
                raise WarehouseError(
                    f"{user} may not create schemas in {self.name}; as its owner, run: "
                    f'grant create on database "{database}" to "{user}"'
                )
        elif not reading.rows("select has_schema_privilege(?, 'create')", [DATASET])[0][0]:
            raise WarehouseError(
                f"{user} may not write to the schema {DATASET} of {self.name}; log in as the user "
                "who loaded it before"
            )

    def _set_up_sessions(self, connection: Connection) -> None:
        """Set this login's session defaults in this database, which dbt cannot set by itself.

        The time zone is UTC, and JIT is off: the planner overestimates the cost of the models'
        nested views, and compiling their queries took half of a build's time.
        """
        from psycopg2 import sql

        database = sql.Identifier(self._settings.database)
        with connection.cursor() as cursor:
            for setting in ("timezone to 'UTC'", "jit to off"):
                statement = sql.SQL("alter role current_user in database {} set " + setting)
                cursor.execute(statement.format(database))

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Check that the lock is still held, and let dlt see missing columns."""
        if self._lock is not None:
            try:
                PostgresReadConnection(self._lock).rows("select 1")
            except Exception as error:
                raise WarehouseError(
                    f"{self.name} closed the connection that held the lock; nothing was written; "
                    "run it again"
                ) from error
        with self._connection() as connection:
            self._let_dlt_add_missing_columns(connection)
        yield

    def _let_dlt_add_missing_columns(self, connection: Connection) -> None:
        """If declared columns or tables are missing, make dlt compare the schema with the tables.

        Otherwise dlt trusts its stored schema version, and fails if a column was dropped by hand.
        """
        reading = PostgresReadConnection(connection)
        missing = [
            name
            for name, table in TABLES.items()
            if not reading.columns(name).keys() >= table.all_columns.keys()
        ]
        if missing and reading.columns("_dlt_version"):
            _log.info("tables to create or extend: %s", ", ".join(missing))
            with connection.cursor() as cursor:
                cursor.execute(f"delete from {DATASET}._dlt_version")

    @contextmanager
    def reading(self) -> Iterator[PostgresReadConnection]:
        """Open a read-only connection."""
        with self._connection() as connection:
            connection.set_session(readonly=True, autocommit=True)
            yield PostgresReadConnection(connection)

    def exists(self) -> bool:
        """Whether anything was ever loaded."""
        with self.reading() as reading:
            return bool(reading.columns("extracts"))

    def explain(self, error: BaseException) -> str | None:
        """Explain an error in one line if the database caused it; None otherwise."""
        import psycopg2

        found = next((each for each in causes(error) if isinstance(each, psycopg2.Error)), None)
        return f"{self.name}: {first_line(found)}" if found else None

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = self._connect("python -m ingest")
        try:
            yield connection
        finally:
            connection.close()

    def _connect(self, application: str) -> Connection:
        import psycopg2

        settings = self._settings
        try:
            connection = psycopg2.connect(
                host=settings.host,
                port=settings.port,
                user=settings.user,
                password=settings.password or None,
                dbname=settings.database,
                sslmode=settings.ssl_mode,
                connect_timeout=15,
                application_name=application[:63],
                options="-c TimeZone=UTC",
            )
        except psycopg2.OperationalError as error:
            self._refuse(error)
        connection.autocommit = True
        return connection

    def _refuse(self, error: psycopg2.OperationalError) -> NoReturn:
        """Raise an error that explains a failed login and how to fix it."""
        text = str(error)
        settings = self._settings
        if "authentication failed" in text or "no password supplied" in text:
            way_out = f"PGUSER is {settings.user}: check it and PGPASSWORD"
            raise WarehouseError(f"{self.name} refuses the login; {way_out}") from None
        if f'"{settings.database}" does not exist' in text:
            way_out = f"create it with createdb {settings.database}, or set PGDATABASE"
            raise WarehouseError(f"{self.name}: the database does not exist; {way_out}") from None
        if "permission denied" in text:
            way_out = f'as its owner, run: grant connect on database "{settings.database}"'
            raise WarehouseError(
                f'{settings.user} may not use {self.name}; {way_out} to "{settings.user}"'
            ) from None
        way_out = "start it, or set PGHOST and PGPORT"
        raise WarehouseError(
            f"{self.name} does not answer ({first_line(error)}); {way_out}"
        ) from None
