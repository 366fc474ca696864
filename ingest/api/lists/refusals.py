"""What of a workspace could not be read: projects that failed, lists that a host does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.api.http.errors import (
    ENDING_THE_RUN,
    InvalidParameter,
    NotFound,
    NotTrackerV5,
    RetriesExhausted,
    RouteNotFound,
    TrackerError,
    UnauthorizedOperation,
)

if TYPE_CHECKING:
    from ingest.api.lists.jobs import Job, ListJob
    from ingest.api.lists.workspace import Workspace
    from ingest.warehouses.stored import Stored


_MOST_EXHAUSTED = 3  # lists in a row that failed however often they were asked for


class Refusals:
    """Takes note of what is refused, and knows what need not be asked for any more.

    Attributes:
        skipped: what could not be read, one sentence each.
        failed_project_ids: projects that should have been read and were not.
        failure: a list of the workspace that should have been read and was not, and why.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.skipped: list[str] = []
        self.failed_project_ids: list[int] = []
        self.failure: str | None = None
        self._absent_tables: set[str] = set()
        self._exhausted_count = 0

    def is_given_up(self, job: Job) -> bool:
        """Whether a list is of a project, or of a table, that cannot be read."""
        return job.project_id in self.failed_project_ids or job.table in self._absent_tables

    def note(self, job: ListJob, name: str, error: TrackerError) -> None:
        """Skip a project, or one list of it, or a list that the host does not have.

        Args:
            job: the list that was refused.
            name: whose list it is: the project's name, or the workspace.
            error: what the host answered.

        Raises:
            TrackerError: the same, when nothing more can be read.
        """
        self._exhausted_count += isinstance(error, RetriesExhausted | NotTrackerV5)
        if isinstance(error, ENDING_THE_RUN) or self._exhausted_count >= _MOST_EXHAUSTED:
            raise error
        is_lacking = isinstance(error, NotFound | InvalidParameter)
        is_optional = bool(job.tracker_list.option) or job.project_id is None
        is_dispensable = is_lacking and not job.tracker_list.is_required
        if job.project_id is not None and not (is_optional or is_dispensable):
            self.give_up_project(job.project_id, name, error)
        elif not isinstance(error, RouteNotFound):
            sentence = f"{job.table} of {name}: {error}"
            self.skipped.append(sentence)
            if not isinstance(error, UnauthorizedOperation) and not is_lacking:
                self.failure = self.failure or sentence
        elif job.table not in self._absent_tables:
            self._absent_tables.add(job.table)
            self.skipped.append(f"{job.table}: this host has no {job.tracker_list.path}")

    def note_read(self, job: ListJob) -> None:
        """Take note of a list that was read; say so when fewer fields were asked for."""
        self._exhausted_count = 0
        asked = f"fields={job.fields.current}" if job.fields.current else "no fields"
        sentence = f"{job.table}: this host refused some fields, so fewer were asked for ({asked})"
        if job.fields.index and sentence not in self.skipped:
            self.skipped.append(sentence)

    def note_unlisted_projects(self, workspace: Workspace, stored: Stored) -> None:
        """Say which stored projects a workspace lists no longer.

        Nothing tells a project that was deleted from one that is closed to the token now.
        """
        for project_id, held in stored.projects.items():
            if project_id not in workspace.names:
                self.skipped.append(
                    f"project {project_id} ({held.name}): the host lists it no longer (deleted, or "
                    f"closed to this token); its rows stay as they were at {held.as_of:%F %T} UTC"
                )

    def give_up_project(self, project_id: int, name: str, error: TrackerError) -> None:
        """Read nothing more of a project.

        Raises:
            TrackerError: the same, when nothing more can be read of any.
        """
        if isinstance(error, ENDING_THE_RUN):
            raise error
        if project_id in self.failed_project_ids:
            return
        self.failed_project_ids.append(project_id)
        self.skipped.append(f"project {project_id} ({name}): {error}")
