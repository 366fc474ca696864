"""The dlt destination for PostgreSQL, with fixes for dlt 1.31 and lower memory use."""

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

from ingest.warehouses.base_destination import CreatesAllTables, NoOpJob, has_rows


@configspec(init=False)
class _Login(PostgresCredentials):
    def to_native_representation(self) -> str:
        """The credentials as a URL. dlt does not encode spaces in passwords; libpq rejects them."""
        return super().to_native_representation().replace(" ", "%20")


@configspec
class _Configuration(PostgresClientConfiguration):
    credentials: _Login = None  # type: ignore[assignment] # dlt resolves it


class _CopyJob(PostgresParquetCopyJob):
    # ADBC keeps the data of a call in memory until the call ends; by default that is a whole file.
    _ingest_per_rowgroup = True


class _Client(CreatesAllTables, PostgresClient):
    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Load a file, if it has rows: ADBC reports a stream without batches as an error."""
        job = super().create_load_job(table, file_path, load_id, restore)
        if not isinstance(job, PostgresParquetCopyJob):
            return job
        return _CopyJob(file_path) if has_rows(file_path) else NoOpJob(file_path)


class TrackerPostgres(postgres):
    """PostgreSQL with support for passwords with spaces and tables without rows."""

    spec = _Configuration  # type: ignore[assignment] # dlt infers a narrower type from its own

    @property
    def client_class(self) -> type[PostgresClient]:
        """The class of the job client."""
        return _Client
