"""What our destinations for dlt share."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow.parquet as pq
from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob
from dlt.common.schema.typing import TSchemaTables
from dlt.destinations.job_client_impl import SqlJobClientBase


class NothingToLoad(RunnableLoadJob, HasFollowupJobs):
    """Done as soon as it runs: dlt waits for a job that is done when it is made."""

    def run(self) -> None:
        """Do nothing."""


def has_rows(file_path: str) -> bool:
    """Whether a Parquet file has any row."""
    rows_count: int = pq.read_metadata(file_path).num_rows
    return rows_count > 0


class MakesEveryTable(SqlJobClientBase):
    """A client that makes all tables of the schema; dlt's makes those that a file is loaded into.

    An empty file for each table costs dlt more than all else that it does for a small load.
    """

    def update_stored_schema(
        self,
        only_tables: Iterable[str] | None = None,
        expected_update: TSchemaTables = None,  # type: ignore[assignment] # as dlt has it
        force: bool = False,
    ) -> TSchemaTables | None:
        """Make tables and columns that are missing; of the staging dataset as dlt wants them."""
        wanted = {*(only_tables or ()), *self.schema.data_table_names()}
        return super().update_stored_schema(wanted, expected_update, force)
