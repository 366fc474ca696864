"""What of a workspace could not be read: projects that are closed, lists that a host lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.api.http.errors import (
    InvalidParameter,
    RouteNotFound,
    TrackerError,
    UnauthorizedOperation,
)

if TYPE_CHECKING:
    from ingest.api.lists.jobs import Job, ListJob
    from ingest.api.lists.workspace import Workspace
    from ingest.warehouses.stored import Stored


class Refusals:
    """Takes note of what is refused, and knows what need not be asked for any more.

    Attributes:
        skipped: what could not be read, one sentence each.
        failed_project_ids: projects that should have been read and were not.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.skipped: list[str] = []
        self.failed_project_ids: list[int] = []
        self._absent_tables: set[str] = set()

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
            TrackerError: the same, when nothing can be read without this list.
        """
        is_closed = isinstance(error, UnauthorizedOperation) and not job.tracker_list.option
        if job.tracker_list.is_required and isinstance(error, RouteNotFound | InvalidParameter):
            raise error
        if job.project_id is not None and (is_closed or job.tracker_list.is_required):
            self.give_up_project(job.project_id, name, error)
        elif not isinstance(error, RouteNotFound):
            self.skipped.append(f"{job.table} of {name}: {error}")
        elif job.table not in self._absent_tables:
            self._absent_tables.add(job.table)
            self.skipped.append(f"{job.table}: this host has no {job.tracker_list.path}")

    def note_fewer_fields(self, job: ListJob) -> None:
        """Say that a list was read with fewer fields than were asked for, if it was."""
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
        """Read nothing more of a project."""
        self.failed_project_ids.append(project_id)
        self.skipped.append(f"project {project_id} ({name}): {error}")
