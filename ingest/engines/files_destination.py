"""dlt's filesystem destination, without waiting for files that a merge takes in."""

from __future__ import annotations

from dlt.common.destination.client import LoadJob, PreparedTableSchema
from dlt.destinations import filesystem
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from dlt.destinations.job_impl import FinalizedLoadJob

from ingest.engines.empty_files import NothingToLoad


class _Client(FilesystemClient):
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
