"""What the dlt destinations of this package share."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow.parquet as pq
from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob
from dlt.common.schema.typing import TSchemaTables
from dlt.destinations.job_client_impl import SqlJobClientBase


class NoOpJob(RunnableLoadJob, HasFollowupJobs):
    """A load job that does nothing, for files that need no loading.

    It completes as soon as it runs. (dlt polls for a job that is complete on creation.)
    """

    def run(self) -> None:
        """Do nothing."""


def has_rows(file_path: str) -> bool:
    """Whether a Parquet file has any rows."""
    rows_count: int = pq.read_metadata(file_path).num_rows
    return rows_count > 0


class CreatesAllTables(SqlJobClientBase):
    """Creates all tables of the schema; dlt creates only those into which it loads a file.

    Loading an empty file into each table instead would dominate the time of a small load.
    """

    def update_stored_schema(
        self,
        only_tables: Iterable[str] | None = None,
        expected_update: TSchemaTables = None,  # type: ignore[assignment] # as dlt has it
        force: bool = False,
    ) -> TSchemaTables | None:
        """Create missing tables and columns; in the staging dataset, those that dlt asks for."""
        wanted = {*(only_tables or ()), *self.schema.data_table_names()}
        return super().update_stored_schema(wanted, expected_update, force)
