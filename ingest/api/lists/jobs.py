"""The jobs of one run: the lists to read, in the order of the raw tables.

`full_jobs` reads everything. `ingest.api.sync.planner` reads what has changed since the last sync:
for each table the whole list, its end, nothing, or rows that were read to find the changes
(`GivenRows`).
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
    """One list to read for a raw table.

    Attributes:
        tracker_list: the list's declaration.
        pages: its pages.
        fields: the requested fields.
        project_id: the project of the list; None for a list of the workspace.
        has_all_records: whether the pages contain all records of the project, so that missing ones
            were removed.
        first_offset: the number of records at the start of the list that are not read.
        cautious: creates the same job with a page size that no host rejects.
        extra: values to add to each record.
        is_read: whether the list was read to its end.
        records_count: the number of distinct records read so far.
        refused_count: the number of refused records.
    """

    tracker_list: TrackerList
    pages: Pages
    fields: FieldChoices
    project_id: int | None = None
    has_all_records: bool = True
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


@dataclass(eq=False)
class GivenRows:
    """Rows of a raw table that have already been read.

    Attributes:
        table: the raw table's name.
        project_id: the project of the rows; None for those of the workspace.
        rows: Arrow tables with the raw table's schema.
        requests_count: the number of requests for them.
        has_all_records: whether they are all rows of the project, so that missing ones were
            removed.
    """

    table: str
    project_id: int | None
    rows: list[pa.Table]
    requests_count: int = 0
    has_all_records: bool = False


Job = ListJob | GivenRows


def full_jobs(
    client: TrackerClient, lists: Iterable[TrackerList], project_ids: list[int]
) -> Iterator[ListJob]:
    """Jobs that read these lists completely."""
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
    """A job for a list of a project or of the workspace; with `params`, it is not whole."""
    plain = None
    if each.table in TABLES_WITH_PLAIN_RECORDS:
        plain = partial(client.plain_pages.rows, TABLES[each.table], project_id)

    def job(page_size: int | None, fields: FieldChoices) -> ListJob:
        path = each.path.format(project_id=project_id)
        request = ListRequest(
            path, params or {}, page_size, first_offset, plain=plain, is_list=each.is_list
        )
        pages = Pages(client, request, fields)
        return ListJob(each, pages, fields, project_id, not params, first_offset)

    if each.cautious_page_size is None:
        return job(each.page_size, fields)
    # Separate field choices, because the host may reject the limit and not the fields.
    first_try = job(each.page_size, FieldChoices(*each.fields))
    first_try.cautious = lambda: job(each.cautious_page_size, fields)
    return first_try


def iteration_jobs(
    client: TrackerClient, each: TrackerList, iterations: Iterable[tuple[int, int]]
) -> Iterator[ListJob]:
    """Jobs for the lists of iterations, which are given by project id and number."""
    fields = FieldChoices(*each.fields)
    for project_id, number in iterations:
        path = each.path.format(project_id=project_id, number=number)
        pages = Pages(client, ListRequest(path, page_size=each.page_size), fields)
        extra = {"iteration_number": number}
        yield ListJob(each, pages, fields, project_id, has_all_records=False, extra=extra)
