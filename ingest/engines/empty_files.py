"""Files that need no loading of their own, such as those without rows."""

from __future__ import annotations

import pyarrow.parquet as pq
from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob


class NothingToLoad(RunnableLoadJob, HasFollowupJobs):
    """Done as soon as it runs: dlt waits for a job that is done when it is made."""

    def run(self) -> None:
        """Do nothing."""


def has_rows(file_path: str) -> bool:
    """Whether a Parquet file has any row."""
    return pq.read_metadata(file_path).num_rows > 0
