"""Read changed stories by their ids, up to 500 per request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.api.http.answers import Answer
from ingest.api.http.errors import InvalidParameter, NotFound
from ingest.api.http.paging import FieldChoices, ListRequest, Pages
from ingest.api.intake import Intake
from ingest.api.lists.catalogue import PAGE_SIZE, STORY_FIELDS
from ingest.api.lists.moving_lists import read_ids
from ingest.records import Record, instant_or_none
from ingest.tables import TABLES

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient


_TRANSITION_KEY = TABLES["story_transitions"].key


class BulkNotSupported(Exception):
    """The host cannot return stories by their ids."""


@dataclass
class StoryBatch:
    """Stories of one project, as rows.

    Attributes:
        rows: rows of the raw table `stories`, without duplicate keys.
        transition_rows: rows of `story_transitions`, which were nested in the stories.
        ids: the ids of the stories.
        accepted_at: story id -> time of acceptance, for accepted stories.
        release_ids: the ids of the stories that are release markers.
        has_transitions: whether the host nests transitions.
        version: the project's version at the last request; None if not stated.
        requests_count: the number of requests.
        refused_count: the number of refused stories, which exist but cannot be rows.
    """

    rows: list[pa.Table] = field(default_factory=list)
    transition_rows: list[pa.Table] = field(default_factory=list)
    ids: set[int] = field(default_factory=set)
    accepted_at: dict[int, datetime] = field(default_factory=dict)
    release_ids: set[int] = field(default_factory=set)
    has_transitions: bool = True
    version: int | None = None
    requests_count: int = 0
    refused_count: int = 0


class StoryReader:
    """Reads single stories of projects, with their parts."""

    def __init__(self, client: TrackerClient, project_ids: Iterable[int], intake: Intake) -> None:
        """Prepare to read; only transitions of the given projects are kept."""
        self._client = client
        self._project_ids = set(project_ids)
        self._intake = intake
        self._fields = FieldChoices(*STORY_FIELDS)
        self._has_bulk = True

    def read(self, project_id: int, ids: set[int], batch: StoryBatch | None = None) -> StoryBatch:
        """Read stories by id, into `batch` if given; those that do not exist are skipped.

        Raises:
            BulkNotSupported: if the host does not have this path.
            UnauthorizedOperation: if the token has no access to the project.
        """
        batch = batch or StoryBatch()
        left = ids - batch.ids
        # A host may return fewer stories than requested, so request the others again.
        while left:
            before = len(batch.ids)
            self._read_once(project_id, sorted(left), batch)
            left = ids - batch.ids
            if len(batch.ids) == before or not self._is_capped(left, ids):
                break
        return batch

    def listed(self, project_id: int, params: dict[str, str]) -> StoryBatch:
        """Read a list of stories, such as those that were updated after some time.

        Raises:
            TrackerError: if it cannot be read.
        """
        batch = StoryBatch()
        fields = FieldChoices(*STORY_FIELDS)
        request = ListRequest(f"/projects/{project_id}/stories", params, PAGE_SIZE)
        pages = Pages(self._client, request, fields)
        self._take(project_id, pages, batch)
        if pages.flaw:
            raise pages.incomplete(len(batch.ids), "stories")
        return batch

    def ids(self, project_id: int) -> tuple[set[int], int]:
        """The ids of all stories of a project, and the number of requests.

        Raises:
            TrackerError: if they cannot be listed.
        """
        path = f"/projects/{project_id}/stories"
        request = ListRequest(path, page_size=PAGE_SIZE)
        pages = Pages(self._client, request, FieldChoices("id"))
        ids, invalid_count = read_ids(pages)
        if pages.flaw or invalid_count or len(ids) < (pages.total or 0):
            raise pages.incomplete(len(ids), "stories")
        return ids, pages.requests_count

    @staticmethod
    def _is_capped(left: set[int], ids: set[int]) -> bool:
        """Whether so many are missing that the host has probably limited the list."""
        return len(left) * 2 >= len(ids)

    def _read_once(self, project_id: int, ids: list[int], batch: StoryBatch) -> None:
        if not self._has_bulk:
            raise BulkNotSupported
        chunks = [ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE)]
        path = f"/projects/{project_id}/stories/bulk"
        lists = [
            Pages(self._client, ListRequest(path, {"ids": ",".join(map(str, chunk))}), self._fields)
            for chunk in chunks
        ]
        ahead = self._client.max_in_flight
        try:
            for index, pages in enumerate(lists):
                for later in lists[index : index + ahead]:
                    if not later.outstanding:
                        later.submit()
                self._take(project_id, pages, batch)
        except (NotFound, InvalidParameter):
            self._has_bulk = False
            raise BulkNotSupported from None
        finally:
            for pages in lists:
                pages.cancel()

    def _take(self, project_id: int, pages: Pages, batch: StoryBatch) -> None:
        while (answer := pages.take()) is not None:
            pages.submit()
            if answer.project_version is not None:
                batch.version = answer.project_version
            self._add(project_id, answer, batch)
        batch.requests_count += pages.requests_count

    def _add(self, project_id: int, answer: Answer, batch: StoryBatch) -> None:
        def is_new(story: Record) -> bool:
            is_known = story["id"] in batch.ids
            batch.ids.add(story["id"])
            return not is_known

        taken = self._intake.take("stories", answer, project_id, is_wanted=is_new)
        stories = taken.records
        batch.refused_count += taken.refused_count
        batch.release_ids.update(
            story["id"] for story in stories if story.get("story_type") == "release"
        )
        for story in stories:
            if (accepted_at := instant_or_none(story.get("accepted_at"))) is not None:
                batch.accepted_at[story["id"]] = accepted_at
        batch.rows.append(taken.rows)
        try:
            nested = [  # a null project is unknown, but the story's is not
                {**each, "project_id": each.get("project_id") or story["project_id"]}
                for story in stories
                for each in story["transitions"]
            ]
            keys = [tuple(each[name] for name in _TRANSITION_KEY) for each in nested]
            read = [
                each
                for each in dict(zip(keys, nested, strict=True)).values()
                if each["project_id"] in self._project_ids
            ]
        except (KeyError, TypeError):  # this host does not nest them, or in another form
            batch.has_transitions = False
            return
        taken = self._intake.take("story_transitions", replace(answer, data=read))
        batch.transition_rows.append(taken.rows)
        batch.has_transitions &= not taken.refused_count
