"""Stories read again because something of them changed: by their ids, up to 500 a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.api.http.answers import Answer
from ingest.api.http.errors import InvalidParameter, NotFound, UnexpectedAnswer
from ingest.api.http.paging import FieldChoices, ListRequest, Pages
from ingest.api.intake import Intake
from ingest.api.lists.catalogue import PAGE_SIZE, STORY_FIELDS
from ingest.api.lists.moving_lists import read_ids
from ingest.records import Record, instant_or_none
from ingest.tables import TABLES

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient


_TRANSITION_KEY = TABLES["story_transitions"].key


class NoBulk(Exception):
    """The host does not give stories by their ids."""


@dataclass
class Batch:
    """Stories of one project, as rows.

    Attributes:
        rows: rows of the raw table `stories`, no key twice.
        transition_rows: rows of `story_transitions`: those nested in the stories.
        ids: the stories that are here.
        accepted_at: when those of them that are accepted were.
        release_ids: those of them that are release markers.
        has_transitions: the host nests transitions.
        version: the project's version when the last of them was read; None when not told.
        requests_count: requests that they took.
        refused_count: stories that were refused: they are there, but cannot be rows.
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
    """Reads single stories of projects, with all that belongs to them."""

    def __init__(self, client: TrackerClient, project_ids: Iterable[int], intake: Intake) -> None:
        """Prepare to read; transitions are kept of the projects `project_ids` only."""
        self._client = client
        self._project_ids = set(project_ids)
        self._intake = intake
        self._fields = FieldChoices(*STORY_FIELDS)
        self._has_bulk = True

    def read(self, project_id: int, ids: set[int], batch: Batch | None = None) -> Batch:
        """Read stories by id; those that are gone are left out.

        Raises:
            NoBulk: when the host has no such path.
            UnauthorizedOperation: when the project is closed to the token.
        """
        batch = batch or Batch()
        left = ids - batch.ids
        # Asked again as long as that brings some more: a host may give fewer than were asked for.
        while left:
            before = len(batch.ids)
            self._read_once(project_id, sorted(left), batch)
            left = ids - batch.ids
            if len(batch.ids) == before or not self._is_capped(left, ids):
                break
        return batch

    def listed(self, project_id: int, params: dict[str, str]) -> Batch:
        """Read a list of stories, such as those that were updated after an instant.

        Raises:
            TrackerError: when it could not be read.
        """
        batch = Batch()
        fields = FieldChoices(*STORY_FIELDS)
        request = ListRequest(f"/projects/{project_id}/stories", params, PAGE_SIZE)
        pages = Pages(self._client, request, fields)
        self._take(project_id, pages, batch)
        if pages.flaw:
            raise pages.incomplete(len(batch.ids), "stories")
        return batch

    def ids(self, project_id: int) -> tuple[set[int], int]:
        """The ids of all stories of a project, and the requests that it took to list them.

        Raises:
            TrackerError: when they could not be listed.
        """
        path = f"/projects/{project_id}/stories"
        request = ListRequest(path, page_size=PAGE_SIZE)
        pages = Pages(self._client, request, FieldChoices("id"))
        ids, odd_count = read_ids(pages)
        if pages.flaw or odd_count or len(ids) < (pages.total or 0):
            raise pages.incomplete(len(ids), "stories")
        return ids, pages.requests_count

    @staticmethod
    def _is_capped(left: set[int], ids: set[int]) -> bool:
        """Whether so many are missing that the host rather cut the list than lost the stories."""
        return len(left) * 2 >= len(ids)

    def _read_once(self, project_id: int, ids: list[int], batch: Batch) -> None:
        if not self._has_bulk:
            raise NoBulk
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
            raise NoBulk from None
        finally:
            for pages in lists:
                pages.cancel()

    def _take(self, project_id: int, pages: Pages, batch: Batch) -> None:
        while (answer := pages.take()) is not None:
            pages.submit()
            if answer.project_version is not None:
                batch.version = answer.project_version
            if not isinstance(answer.data, list):
                raise UnexpectedAnswer(f"GET {pages.path}", "an object instead of a list")
            self._add(project_id, answer, batch)
        batch.requests_count += pages.requests_count

    def _add(self, project_id: int, answer: Answer, batch: Batch) -> None:
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
            nested = [
                {"project_id": story["project_id"], **each}
                for story in stories
                for each in story["transitions"]
            ]
            keys = [tuple(each[name] for name in _TRANSITION_KEY) for each in nested]
            read = [
                each
                for each in dict(zip(keys, nested, strict=True)).values()
                if each["project_id"] in self._project_ids
            ]
        except (KeyError, TypeError):  # not nested here, or in another form
            batch.has_transitions = False
            return
        taken = self._intake.take("story_transitions", replace(answer, data=read))
        batch.transition_rows.append(taken.rows)
        batch.has_transitions &= not taken.refused_count
