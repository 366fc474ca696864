"""The dlt destination for DuckDB. It writes a first load directly, without a merge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import (
    FollowupJobRequest,
    LoadJob,
)
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.normalizers.naming import NamingConvention
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.destinations.impl.duckdb.factory import duckdb

from ingest.run.settings import warehouse_path
from ingest.warehouses.base import DATASET
from ingest.warehouses.base_destination import CreatesAllTables, NoOpJob, has_rows


class _CopyJob(DuckDbCopyJob):
    def run(self) -> None:
        """Load a file into the staging table, or directly into the final table if that is empty.

        The result is the same as that of a merge, but each row is written only once. If the load is
        killed and repeated, the final table is no longer empty, so the rows are merged by key.
        """
        client = self._job_client.sql_client
        table = f'{DATASET}."{self.load_table_name}"'
        is_merged = client.dataset_name != DATASET
        if not is_merged or client.execute_sql(f"select 1 from {table} limit 1"):
            super().run()
            return
        path = self._file_path.replace("'", "''")
        if not client.execute_sql(f"select 1 from {DATASET}._dlt_loads limit 1"):
            # A first load takes a third less time if it is written to the file directly instead of
            # to the write-ahead log. Later loads stay in the log until complete (`reserved`).
            client.execute_sql("set checkpoint_threshold = '16MB'")
        client.execute_sql(
            f"insert into {table} by name "
            f"select * from read_parquet('{path}') where is_removed is not true"
        )


class _Client(CreatesAllTables, DuckDbClient):
    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - dlt's signature
        """Keep a load in the write-ahead log until complete; dlt checkpoints each gigabyte."""
        super().__init__(*arguments, **named)
        self.sql_client._global_config["checkpoint_threshold"] = "1TB"

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Load a file, if it has rows."""
        job = super().create_load_job(table, file_path, load_id, restore)
        if not isinstance(job, DuckDbCopyJob):
            return job
        return _CopyJob(file_path) if has_rows(file_path) else NoOpJob(file_path)

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        """Merge the staging table, unless it is empty."""
        table = table_chain[0]
        if table["write_disposition"] == "merge":
            staged = f'{DATASET}_staging."{table["name"]}"'
            with self.sql_client as client:
                if not client.execute_sql(f"select 1 from {staged} limit 1"):
                    return []
        return super().create_table_chain_completed_followup_jobs(
            table_chain, completed_table_chain_jobs
        )


class TrackerDuckDB(duckdb):
    """DuckDB with fast first loads; by default the file at `WAREHOUSE_PATH`.

    dlt records this class in a pipeline's state, so that dlt's own commands use the same file.
    """

    def __init__(
        self,
        path: str | None = None,
        **arguments: Any,  # noqa: ANN401 - dlt's signature
    ) -> None:
        """Use the file at `path`; the other arguments are dlt's."""
        super().__init__(path or str(warehouse_path()), **arguments)

    def capabilities(
        self,
        config: DuckDbClientConfiguration | None = None,
        naming: NamingConvention | None = None,
    ) -> DestinationCapabilitiesContext:
        """The destination's capabilities. They do not depend on the configuration.

        Passing a default configuration keeps dlt from resolving it on each call.
        """
        return super().capabilities(config or self.spec(), naming)

    @property
    def client_class(self) -> type[DuckDbClient]:
        """The class of the job client."""
        return _Client
