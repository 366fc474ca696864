"""dlt's destination for PostgreSQL, with what dlt 1.31 fails on mended, and less memory."""

from __future__ import annotations

from dlt.common.configuration import configspec
from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.destinations.impl.postgres.configuration import (
    PostgresClientConfiguration,
    PostgresCredentials,
)
from dlt.destinations.impl.postgres.factory import postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient, PostgresParquetCopyJob

from ingest.warehouses.base_destination import MakesEveryTable, NothingToLoad, has_rows


@configspec(init=False)
class _Login(PostgresCredentials):
    def to_native_representation(self) -> str:
        """One URL: dlt leaves the spaces of a password in it, which libpq refuses."""
        return super().to_native_representation().replace(" ", "%20")


@configspec
class _Configuration(PostgresClientConfiguration):
    credentials: _Login = None  # type: ignore[assignment] # dlt resolves it


class _CopyJob(PostgresParquetCopyJob):
    # ADBC keeps all it has been given until a call ends: a whole file by default.
    _ingest_per_rowgroup = True


class _Client(MakesEveryTable, PostgresClient):
    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Load a file; one without rows is done at once.

        ADBC takes a stream of no batches for an error.
        """
        job = super().create_load_job(table, file_path, load_id, restore)
        if not isinstance(job, PostgresParquetCopyJob):
            return job
        return _CopyJob(file_path) if has_rows(file_path) else NothingToLoad(file_path)


class TrackerPostgres(postgres):
    """PostgreSQL, for passwords with spaces and tables without rows."""

    spec = _Configuration  # type: ignore[assignment] # dlt infers a narrower type from its own

    @property
    def client_class(self) -> type[PostgresClient]:
        """What writes to it."""
        return _Client
