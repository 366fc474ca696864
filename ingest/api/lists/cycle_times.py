"""Choose the iterations whose cycle times are read (Tracker's own, one list per iteration)."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ingest.api.context import ReadContext
from ingest.api.lists.catalogue import TrackerList
from ingest.api.lists.jobs import ListJob, iteration_jobs
from ingest.records import Record, removal_rows
from ingest.tables import TABLES

_TABLE = TABLES["cycle_time_details"]


class CycleTimes:
    """Tracker's own cycle times in the current and past iterations.

    Use this only after the iterations were read.
    """

    def __init__(self, context: ReadContext, is_sync: bool) -> None:
        """Prepare to read; `is_sync` if only changes are read."""
        self._client = context.client
        self._projects = context.workspace.projects
        self._stored = context.stored
        self._keys = context.keys
        self._is_sync = is_sync
        self._jobs: list[ListJob] = []

    def jobs(self, details: TrackerList) -> Iterator[ListJob]:
        """The lists to read, with `details` as their declaration."""
        begun = [
            (project["id"], number)
            for project in self._projects
            for number in self._numbers(project)
        ]
        for job in iteration_jobs(self._client, details, begun):
            self._jobs.append(job)
            yield job

    def removed(self, project_ids: list[int]) -> Iterator[pa.Table]:
        """Yield deletions of stored cycle times that are no longer in the lists that were read.

        Args:
            project_ids: the projects that could be read.
        """
        read = self._keys.read_anywhere(_TABLE.name)
        for project in self._projects:
            if project["id"] in self._stored.projects and project["id"] in project_ids:
                numbers = [
                    job.extra["iteration_number"]
                    for job in self._jobs
                    if job.is_read and job.project_id == project["id"]
                ]
                removed = self._stored.cycle_time_keys(project["id"], numbers) - read
                if removed:
                    yield removal_rows(_TABLE, sorted(removed))

    def _numbers(self, project: Record) -> list[int]:
        """The iterations that were read, and always the current one, in which time passes."""
        current = project.get("current_iteration_number") or 0
        stored = self._stored.projects.get(project["id"])
        if stored is not None and not stored.rows_count[_TABLE.name]:
            return list(range(1, current + 1))  # cycle times were not read until now
        numbers = {number for _, number in self._keys.read("iterations", project["id"])}
        numbers |= {current} if self._is_sync and current else set()
        return sorted(number for number in numbers if number <= current)
