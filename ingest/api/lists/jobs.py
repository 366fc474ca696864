"""What one run asks for: the lists to read, in the order of the raw tables.

A way of reading is a function that gives these jobs. `full_jobs` asks for everything there is;
`ingest.api.sync.planner` for what has changed since the warehouse was synced: the same tables, from
a later record on, or not at all, or rows that finding out what changed has brought (`GivenRows`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from ingest.api.http.client import Params, TrackerClient
from ingest.api.http.paging import FieldChoices, ListRequest, Pages
from ingest.api.lists.catalogue import TrackerList
from ingest.plain_records import TABLES_WITH_PLAIN_RECORDS
from ingest.records import Record
from ingest.tables import TABLES


@dataclass(eq=False)
class ListJob:
    """One list that is to be read for a raw table.

    Attributes:
        tracker_list: the list's declaration.
        pages: its pages.
        fields: what is asked for of each record.
        project_id: the project whose list it is; None for the workspace's.
        is_whole: the pages hold all records of the project, so that what they lack is gone.
        first_offset: records that the pages leave out at the list's beginning.
        cautious: makes the same list, asked for in a way that no host refuses.
        extra: values that each record is given.
        is_read: the list came to its end.
        records_count: records that were read, each once.
        refused_count: records that were refused.
    """

    tracker_list: TrackerList
    pages: Pages
    fields: FieldChoices
    project_id: int | None = None
    is_whole: bool = True
    first_offset: int = 0
    extra: Record = field(default_factory=dict)
    cautious: Callable[[], ListJob] | None = None
    is_read: bool = False
    records_count: int = 0
    refused_count: int = 0

    @property
    def table(self) -> str:
        """The raw table's name."""
        return self.tracker_list.table


class NoPages:
    """The pages of a list of which nothing is left to ask for."""

    outstanding = 0

    def submit(self) -> bool:
        """Nothing to ask for."""
        return False

    def take(self) -> None:
        """Nothing to take."""

    def cancel(self) -> None:
        """Nothing to cancel."""


@dataclass(eq=False)
class GivenRows:
    """Rows of a raw table that are here already.

    Attributes:
        table: the raw table's name.
        project_id: the project whose rows they are; None for the workspace's.
        rows: Arrow tables with the raw table's schema.
        requests_count: requests that they took.
        is_whole: they are all rows of the project, so that what they lack is gone.
    """

    table: str
    project_id: int | None
    rows: list[pa.Table]
    requests_count: int = 0
    is_whole: bool = False
    pages: NoPages = field(default_factory=NoPages)


Job = ListJob | GivenRows


def full_jobs(
    client: TrackerClient, lists: Iterable[TrackerList], project_ids: list[int]
) -> Iterator[ListJob]:
    """Everything that the lists hold, whatever was read before."""
    for each in lists:
        fields = FieldChoices(*each.fields)
        owners: Sequence[int | None] = [*project_ids] if each.is_per_project else [None]
        for project_id in owners:
            yield list_job(client, each, project_id, fields)


def list_job(
    client: TrackerClient,
    each: TrackerList,
    project_id: int | None,
    fields: FieldChoices,
    params: Params | None = None,
    first_offset: int = 0,
) -> ListJob:
    """One list of a project or of the workspace, whole unless there are parameters."""
    plain = None
    if each.table in TABLES_WITH_PLAIN_RECORDS:
        plain = partial(client.plain_pages.rows, TABLES[each.table], project_id)

    def job(page_size: int | None, fields: FieldChoices) -> ListJob:
        path = each.path.format(project_id=project_id)
        request = ListRequest(path, params or {}, page_size, first_offset, plain=plain)
        pages = Pages(client, request, fields)
        return ListJob(each, pages, fields, project_id, not params, first_offset)

    if each.cautious_page_size is None:
        return job(each.page_size, fields)
    # Its own choice of fields: it may be the limit that is refused.
    daring = job(each.page_size, FieldChoices(*each.fields))
    daring.cautious = lambda: job(each.cautious_page_size, fields)
    return daring


def iteration_jobs(
    client: TrackerClient, each: TrackerList, iterations: Iterable[tuple[int, int]]
) -> Iterator[ListJob]:
    """A list that every iteration has; `iterations` are pairs of project id and number."""
    fields = FieldChoices(*each.fields)
    for project_id, number in iterations:
        path = each.path.format(project_id=project_id, number=number)
        pages = Pages(client, ListRequest(path, page_size=each.page_size), fields)
        extra = {"iteration_number": number}
        yield ListJob(each, pages, fields, project_id, is_whole=False, extra=extra)
