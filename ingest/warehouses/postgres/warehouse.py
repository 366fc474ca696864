"""PostgreSQL 15 or later: one database, found by the variables that psql reads as well."""

from __future__ import annotations

import hashlib
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

from ingest.run.settings import ROOT, SettingsError
from ingest.tables import TABLES
from ingest.tables.table import ColumnType
from ingest.warehouses.base import DATASET, UPSERT, NothingThere, WarehouseError, WarehouseInUse
from ingest.warehouses.lock import wait_for

if TYPE_CHECKING:
    import psycopg2
    from psycopg2.extensions import connection as Connection  # noqa: N812

_log = logging.getLogger(__name__)
# Any number that no other program of the database takes: the lock is the database's.
_LOCK_KEY = 8_417_250_430
_OLDEST = 150_000
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
_INSTALL = "make setup TARGET=postgres installs it"


@dataclass(frozen=True)
class PostgresSettings:
    """How to log in; the password is in no message and no repr."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(repr=False)
    ssl_mode: str

    @property
    def url(self) -> str:
        """The settings as one URL, for whoever takes nothing else."""
        user, password, database = (
            quote(each, safe="") for each in (self.user, self.password, self.database)
        )
        login = f"{user}:{password}" if password else user
        host = "" if self.host.startswith("/") else self.host
        query = f"sslmode={self.ssl_mode}&connect_timeout=15"
        if not host:
            query += f"&host={quote(self.host, safe='')}"
        return f"postgresql://{login}@{host}:{self.port}/{database}?{query}"


def settings_of_environment() -> PostgresSettings:
    """The settings of PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and PGSSLMODE.

    Raises:
        SettingsError: when the port is no number, or no database is named.
    """
    port = os.environ.get("PGPORT") or "5432"
    if not port.isdigit():
        raise SettingsError(f"PGPORT is {port!r}, which is no number")
    database = os.environ.get("PGDATABASE")
    if not database:
        raise SettingsError(
            "PGDATABASE names no database; set it, and PGHOST, PGPORT, PGUSER, PGPASSWORD"
        )
    return PostgresSettings(
        host=os.environ.get("PGHOST") or "localhost",
        port=int(port),
        user=os.environ.get("PGUSER") or "postgres",
        database=database,
        password=os.environ.get("PGPASSWORD") or "",
        ssl_mode=os.environ.get("PGSSLMODE") or "prefer",
    )


class PostgresReading:
    """A connection to PostgreSQL that only reads."""

    types = _TYPES

    def __init__(self, connection: Connection) -> None:
        """Read through a connection, which is in autocommit."""
        self._connection = connection

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        from psycopg2 import errors

        prepared = statement.replace("%", "%%").replace("?", "%s")
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(prepared, list(parameters))
            except (errors.UndefinedTable, errors.UndefinedColumn) as error:
                raise NothingThere(str(error)) from error
            return cursor.fetchall()

    def table(self, statement: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """All rows of a statement as Arrow."""
        rows = self.rows(statement, parameters)
        columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
        arrays = [pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)]
        return pa.table(arrays, schema=schema)

    def columns(self, table_name: str) -> dict[str, str]:
        """The columns of a raw table and their types; none when there is no such table."""
        found = self.rows(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = to_regclass(?) and attnum > 0 and not attisdropped",
            [f"{DATASET}.{table_name}"],
        )
        return dict(found)


class PostgresDatabase:
    """A database of a server, with the raw tables in a schema of their own."""

    another = "set PGDATABASE to another database"
    load_workers = 4  # each opens some three connections
    hints = UPSERT
    undoes_loads = False
    merges = makes_tables = True

    def __init__(self, settings: PostgresSettings) -> None:
        """Only remember where it is.

        Raises:
            WarehouseError: when the driver is not installed.
        """
        try:
            import adbc_driver_postgresql  # noqa: F401
            import psycopg2  # noqa: F401
        except ImportError as error:
            raise WarehouseError(f"PostgreSQL needs the package {error.name}; {_INSTALL}") from None
        self._settings = settings
        self.secrets = (settings.password,)
        self._lock: Connection | None = None
        self._patience = 0.0

    @property
    def name(self) -> str:
        """Where it is, without the login."""
        settings = self._settings
        return f"postgres://{settings.host}:{settings.port}/{settings.database}"

    @property
    def pipelines_folder(self) -> Path:
        """A folder of its own for each database."""
        return ROOT / ".dlt" / "pipelines" / hashlib.sha256(self.name.encode()).hexdigest()[:12]

    def destination(self) -> AnyDestination:
        """How dlt writes to it."""
        from ingest.warehouses.postgres.destination import TrackerPostgres

        # Without unique indexes: a package that was half loaded is loaded again from its beginning,
        # and PostgreSQL would refuse dlt's own note of the pipeline's state.
        return TrackerPostgres(
            self._settings.url, create_indexes=False, destination_name="warehouse"
        )

    @contextmanager
    def locked(self, wait_seconds: float = 0, what: str = "python -m ingest") -> Iterator[None]:
        """Hold it for one run, by a lock of the database: it ends with the connection."""
        self._lock = self._take_lock(wait_seconds, what)
        try:
            yield
        finally:
            self._lock.close()
            self._lock = None

    def lock_for_successor(self, wait_seconds: float, what: str) -> None:
        """Hold it until this process ends, also when another program takes its place.

        That program inherits the open connection, without knowing: the server keeps the lock until
        the operating system closes it.
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
            f"{self.name} is in use by {holder}; wait for it, or give --wait SECONDS"
        )

    @contextmanager
    def prepared(self) -> Iterator[bool]:
        """Check the version and the rights. Yields whether nothing was ever loaded."""
        with self._connection() as connection:
            if connection.server_version < _OLDEST:
                raise WarehouseError(
                    f"{self.name} is PostgreSQL {connection.server_version // 10_000}; "
                    "15 is the oldest that has MERGE"
                )
            reading = PostgresReading(connection)
            self._require_rights(reading)
            self._set_up_sessions(connection)
            is_new = not reading.columns("extracts")
        yield is_new

    def _require_rights(self, reading: PostgresReading) -> None:
        """Refuse a login that could not write, before anything is read."""
        database, user = self._settings.database, self._settings.user
        schemas = {name for (name,) in reading.rows("select nspname from pg_namespace")}
        if not {DATASET, f"{DATASET}_staging"} <= schemas:
            allowed = reading.rows("select has_database_privilege(current_database(), 'create')")
            if not allowed[0][0]:
                raise WarehouseError(
                    f"{user} may not make schemas in {self.name}; as its owner: "
                    f'grant create on database "{database}" to "{user}"'
                )
        elif not reading.rows("select has_schema_privilege(?, 'create')", [DATASET])[0][0]:
            raise WarehouseError(
                f"{user} may not write into the schema {DATASET} of {self.name}; log in as who "
                "loaded it before"
            )

    def _set_up_sessions(self, connection: Connection) -> None:
        """Give this login in this database what dbt, which can set nothing, needs in its sessions.

        Days and instants are shown in UTC. And queries are not compiled: the server takes the
        models' views, which stand on one another, for far more expensive than they are, and
        compiling them took half of a build.
        """
        from psycopg2 import sql

        database = sql.Identifier(self._settings.database)
        with connection.cursor() as cursor:
            for setting in ("timezone to 'UTC'", "jit to off"):
                statement = sql.SQL("alter role current_user in database {} set " + setting)
                cursor.execute(statement.format(database))

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Make sure that the lock still stands, and that dlt looks at what is there."""
        if self._lock is not None:
            try:
                PostgresReading(self._lock).rows("select 1")
            except Exception as error:
                raise WarehouseError(
                    f"{self.name} closed the connection that held the lock; nothing was written, "
                    "run it again"
                ) from error
        with self._connection() as connection:
            self._let_dlt_mend(connection)
        yield

    def _let_dlt_mend(self, connection: Connection) -> None:
        """Let dlt look at what is there when declared columns or tables are missing.

        It otherwise trusts its note of the schema, and fails where somebody dropped a column.
        """
        reading = PostgresReading(connection)
        missing = [
            name
            for name, table in TABLES.items()
            if not reading.columns(name).keys() >= table.all_columns.keys()
        ]
        if missing and reading.columns("_dlt_version"):
            _log.info("made again, or made wider: %s", ", ".join(missing))
            with connection.cursor() as cursor:
                cursor.execute(f"delete from {DATASET}._dlt_version")

    @contextmanager
    def reading(self) -> Iterator[PostgresReading]:
        """A connection that only reads."""
        with self._connection() as connection:
            connection.set_session(readonly=True, autocommit=True)
            yield PostgresReading(connection)

    def is_there(self) -> bool:
        """Whether anything was ever loaded."""
        with self.reading() as reading:
            return bool(reading.columns("extracts"))

    def explained(self, error: BaseException) -> str | None:
        """Say in one line what a failed load ran into, when the database was the reason."""
        import psycopg2

        chain: BaseException | None = error
        while chain is not None:
            if isinstance(chain, psycopg2.Error):
                return f"{self.name}: {_first_line(chain)}"
            chain = chain.__cause__ or chain.__context__
        return None

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
        """Raise what a failed login means, with the way out."""
        text = str(error)
        settings = self._settings
        if "authentication failed" in text or "no password supplied" in text:
            way_out = f"PGUSER is {settings.user}: check it and PGPASSWORD"
            raise WarehouseError(f"{self.name} refuses the login; {way_out}") from None
        if f'"{settings.database}" does not exist' in text:
            way_out = f"make it with createdb {settings.database}, or set PGDATABASE"
            raise WarehouseError(f"{self.name}: there is no such database; {way_out}") from None
        if "permission denied" in text:
            way_out = f'as its owner: grant connect on database "{settings.database}"'
            raise WarehouseError(
                f'{settings.user} may not use {self.name}; {way_out} to "{settings.user}"'
            ) from None
        way_out = "start it, or set PGHOST and PGPORT"
        raise WarehouseError(
            f"{self.name} does not answer ({_first_line(error)}); {way_out}"
        ) from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or error.__class__.__name__).splitlines()[0].rstrip(":; ")
