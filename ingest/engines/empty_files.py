"""Files that need no loading of their own, such as those without rows."""

from __future__ import annotations

import pyarrow.parquet as pq
from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob


class NothingToLoad(RunnableLoadJob, HasFollowupJobs):
    """Done as soon as it runs: dlt waits for a job that is done when it is made."""

    def run(self) -> None:
        """Do nothing."""


def rows_count(file_path: str) -> int:
    """How many rows a Parquet file has."""
    return pq.read_metadata(file_path).num_rows
