"""dlt's destination for DuckDB, which puts a first load where it belongs without a merge."""

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
from ingest.warehouses.base_destination import MakesEveryTable, NothingToLoad, has_rows


class _CopyJob(DuckDbCopyJob):
    def run(self) -> None:
        """Load a file into the staging table, or into the table itself as long as that is empty.

        That is what the merge would do, without writing every row twice. When it is killed and done
        again, the table has rows: then they are merged by key, and nothing is there twice.
        """
        client = self._job_client.sql_client
        table = f'{DATASET}."{self.load_table_name}"'
        is_merged = client.dataset_name != DATASET
        if not is_merged or client.execute_sql(f"select 1 from {table} limit 1"):
            super().run()
            return
        path = self._file_path.replace("'", "''")
        if not client.execute_sql(f"select 1 from {DATASET}._dlt_loads limit 1"):
            # Writing a first load to its place at once takes a third less time than writing it to
            # the log first. Later loads stay in the log until they are whole (`reserved`).
            client.execute_sql("set checkpoint_threshold = '16MB'")
        client.execute_sql(
            f"insert into {table} by name "
            f"select * from read_parquet('{path}') where is_removed is not true"
        )


class _Client(MakesEveryTable, DuckDbClient):
    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - as dlt's
        """Keep a load in the log until it is whole; dlt writes it down after each gigabyte."""
        super().__init__(*arguments, **named)
        self.sql_client._global_config["checkpoint_threshold"] = "1TB"

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Load a file; one without rows is done at once."""
        job = super().create_load_job(table, file_path, load_id, restore)
        if not isinstance(job, DuckDbCopyJob):
            return job
        return _CopyJob(file_path) if has_rows(file_path) else NothingToLoad(file_path)

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        """Merge what is in the staging table, if anything is."""
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
    """The warehouse file: `WAREHOUSE_PATH`, unless another is named.

    dlt notes this class in a pipeline's state, so its own commands find the same file.
    """

    def __init__(
        self,
        path: str | None = None,
        **arguments: Any,  # noqa: ANN401 - as dlt's
    ) -> None:
        """Name the file; dlt passes what else a destination may be told."""
        super().__init__(path or str(warehouse_path()), **arguments)

    def capabilities(
        self,
        config: DuckDbClientConfiguration | None = None,
        naming: NamingConvention | None = None,
    ) -> DestinationCapabilitiesContext:
        """What it can do: the same however it is configured, which dlt looks up at each call."""
        return super().capabilities(config or self.spec(), naming)

    @property
    def client_class(self) -> type[DuckDbClient]:
        """What writes to it."""
        return _Client
