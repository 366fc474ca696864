"""Collect what could not be read: projects that failed, and lists that a host does not have."""

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


_MOST_EXHAUSTED = 3  # the run ends after so many lists in a row failed after all retries


class SkippedLists:
    """The projects and lists that could not be read.

    Attributes:
        sentences: what could not be read, one sentence each.
        failed_project_ids: projects that should have been read but were not.
        failure: a list of the workspace that could not be read, and why; None if there is none.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.sentences: list[str] = []
        self.failed_project_ids: list[int] = []
        self.failure: str | None = None
        self._absent_tables: set[str] = set()
        self._exhausted_count = 0

    def is_given_up(self, job: Job) -> bool:
        """Whether the project or the table of a job could not be read before."""
        return job.project_id in self.failed_project_ids or job.table in self._absent_tables

    def add(self, job: ListJob, name: str, error: TrackerError) -> None:
        """Skip a project, one of its lists, or a table that the host does not have.

        Args:
            job: the list that could not be read.
            name: the name of the project, or `workspace`.
            error: why it could not be read.

        Raises:
            TrackerError: the same error, if nothing more can be read.
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
            self.sentences.append(sentence)
            if not isinstance(error, UnauthorizedOperation) and not is_lacking:
                self.failure = self.failure or sentence
        elif job.table not in self._absent_tables:
            self._absent_tables.add(job.table)
            self.sentences.append(f"{job.table}: this host has no {job.tracker_list.path}")

    def note_read(self, job: ListJob) -> None:
        """Record that a list was read; add a sentence if fewer fields were requested."""
        self._exhausted_count = 0
        fields = f"fields={job.fields.current}" if job.fields.current else "no fields"
        sentence = f"{job.table}: the host rejected some fields; fewer were requested ({fields})"
        if job.fields.index and sentence not in self.sentences:
            self.sentences.append(sentence)

    def note_unlisted_projects(self, workspace: Workspace, stored: Stored) -> None:
        """Add a sentence for each stored project that the workspace no longer lists.

        It may have been deleted, or the token may have lost access to it.
        """
        for project_id, project in stored.projects.items():
            if project_id not in workspace.names:
                self.sentences.append(
                    f"project {project_id} ({project.name}): the host no longer lists it (it was "
                    "deleted, or the token has no access); its rows remain as of "
                    f"{project.as_of:%F %T} UTC"
                )

    def give_up_project(self, project_id: int, name: str, error: TrackerError) -> None:
        """Skip the rest of a project.

        Raises:
            TrackerError: the same error, if nothing more can be read of any project.
        """
        if isinstance(error, ENDING_THE_RUN):
            raise error
        if project_id in self.failed_project_ids:
            return
        self.failed_project_ids.append(project_id)
        self.sentences.append(f"project {project_id} ({name}): {error}")
