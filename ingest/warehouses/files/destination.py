"""dlt's filesystem destination, without polling for files that a later merge loads."""

from __future__ import annotations

import pyarrow as pa
from deltalake import DeltaTable
from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.libs.deltalake import (
    deltalake_storage_options,
    ensure_delta_compatible_arrow_schema,
)
from dlt.common.libs.pyarrow import get_local_dataset_reader
from dlt.destinations import filesystem
from dlt.destinations.impl.filesystem.filesystem import (
    DeltaLoadFilesystemJob,
    FilesystemClient,
    ReferenceFollowupJob,
)
from dlt.destinations.job_impl import FinalizedLoadJob

from ingest.warehouses.base_destination import NoOpJob


class _Merge(DeltaLoadFilesystemJob):
    def run(self) -> None:
        """Merge into a Delta table, creating it first if it does not exist.

        All columns are nullable, including the key: a merge writes files with nullable columns, and
        Sail cannot read those files if the table declares a column as not null.
        """
        client = self._job_client
        with get_local_dataset_reader(self.file_paths) as reader:
            schema = ensure_delta_compatible_arrow_schema(reader.schema)
        DeltaTable.create(
            client.get_open_table_location("delta", self.load_table_name),
            pa.schema(each.with_nullable(True) for each in schema),
            mode="ignore",
            storage_options=deltalake_storage_options(
                client.config.credentials, client.config.deltalake_storage_options
            ),
            configuration=client.config.deltalake_configuration,
        )
        super().run()


class _Client(FilesystemClient):
    @staticmethod
    def get_reference_followup_job_class(
        table: PreparedTableSchema,
    ) -> type[ReferenceFollowupJob] | None:
        """The class of the job that loads all files of a table at the end."""
        found = FilesystemClient.get_reference_followup_job_class(table)
        return _Merge if found is DeltaLoadFilesystemJob else found

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Load a file. Files of Delta tables need no job: the merge at the end loads them."""
        job = super().create_load_job(table, file_path, load_id, restore)
        return NoOpJob(file_path) if isinstance(job, FinalizedLoadJob) else job


class TrackerFiles(filesystem):
    """A folder or a bucket prefix. Readers use dlt's stock destination."""

    @property
    def client_class(self) -> type[FilesystemClient]:
        """The class of the job client."""
        return _Client

    @property
    def destination_type(self) -> str:
        """The type that dlt records, so that other programs use dlt's stock destination."""
        return "dlt.destinations.filesystem"
