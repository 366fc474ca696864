"""Tables that are made as they are declared, whether or not any row is loaded into them."""

from __future__ import annotations

from collections.abc import Iterable

from dlt.common.schema.typing import TSchemaTables
from dlt.destinations.job_client_impl import SqlJobClientBase


class MakesEveryTable(SqlJobClientBase):
    """A client that makes all tables of the schema; dlt's makes those that a file is loaded into.

    An empty file for each table costs dlt more than all else that it does for a small load.
    """

    def update_stored_schema(
        self,
        only_tables: Iterable[str] | None = None,
        expected_update: TSchemaTables | None = None,
        force: bool = False,
    ) -> TSchemaTables | None:
        """Make tables and columns that are missing; of the staging dataset as dlt wants them."""
        wanted = {*(only_tables or ()), *self.schema.data_table_names()}
        return super().update_stored_schema(wanted, expected_update, force)
