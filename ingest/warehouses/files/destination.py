"""dlt's filesystem destination, without waiting for files that a merge takes in."""

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

from ingest.warehouses.base_destination import NothingToLoad


class _Merge(DeltaLoadFilesystemJob):
    def run(self) -> None:
        """Merge into a Delta table, which is made first when there is none.

        Its columns may all be null. A merge writes files of such columns anyway, and Sail does not
        read them for a table that says otherwise of its key.
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
        """What loads the files of a table once they are all there."""
        found = FilesystemClient.get_reference_followup_job_class(table)
        return _Merge if found is DeltaLoadFilesystemJob else found

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Load a file; one of a Delta table is taken in by the merge that follows."""
        job = super().create_load_job(table, file_path, load_id, restore)
        return NothingToLoad(file_path) if isinstance(job, FinalizedLoadJob) else job


class TrackerFiles(filesystem):
    """A folder, or a prefix of a bucket; whoever only reads finds dlt's own."""

    @property
    def client_class(self) -> type[FilesystemClient]:
        """What writes to it."""
        return _Client

    @property
    def destination_type(self) -> str:
        """What dlt notes of it."""
        return "dlt.destinations.filesystem"
