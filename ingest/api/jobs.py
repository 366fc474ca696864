"""What one run asks for: the lists to read, in the order of the raw tables.

A way of reading is a function that gives these jobs. `full_jobs` asks for everything there is.
Reading what changed since a project version is another such function: the same tables, other paths
and parameters (`since_version`, `ids`), with `is_whole` false where a list tells only of changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.api.client import TrackerClient
from ingest.api.errors import UnexpectedAnswer
from ingest.api.lists import TrackerList
from ingest.api.paging import FieldChoices, Pages
from ingest.records import Record, history_day_records, shape


@dataclass(eq=False)
class ListJob:
    """One list that is to be read for a raw table.

    Attributes:
        tracker_list: the list's declaration.
        pages: its pages.
        fields: what is asked for of each record.
        project_id: the project whose list it is; None for the workspace's.
        is_whole: the pages hold all records of the project, so that what they lack is gone.
        extra: values that each record is given.
    """

    tracker_list: TrackerList
    pages: Pages
    fields: FieldChoices
    project_id: int | None = None
    is_whole: bool = True
    extra: Record = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The raw table's name."""
        return self.tracker_list.table

    def records(self, data: Any) -> list[Record]:  # noqa: ANN401 - JSON is anything
        """The records of one answer, shaped for the raw table."""
        if self.table == "history_days":
            return history_day_records(data, self.project_id)
        records = data if isinstance(data, list) else [data]
        if not all(isinstance(record, dict) for record in records):
            raise UnexpectedAnswer(
                f"GET {self.pages.path}", "a list of something else than objects"
            )
        shaped = [shape(self.table, record, self.project_id) for record in records]
        for record in shaped if self.extra else ():
            record.update(self.extra)
        return shaped


def full_jobs(
    client: TrackerClient, lists: Iterable[TrackerList], project_ids: list[int]
) -> Iterator[ListJob]:
    """Everything that the lists hold, whatever was read before."""
    for each in lists:
        fields = FieldChoices(*each.fields)
        for project_id in project_ids if each.is_per_project else [None]:
            path = each.path.format(project_id=project_id)
            pages = Pages(client, path, None, each.page_size, fields)
            yield ListJob(each, pages, fields, project_id)


def iteration_jobs(
    client: TrackerClient, each: TrackerList, iterations: Iterable[tuple[int, int]]
) -> Iterator[ListJob]:
    """A list that every iteration has; `iterations` are pairs of project id and number."""
    fields = FieldChoices(*each.fields)
    for project_id, number in iterations:
        path = each.path.format(project_id=project_id, number=number)
        pages = Pages(client, path, None, each.page_size, fields)
        extra = {"iteration_number": number}
        yield ListJob(each, pages, fields, project_id, is_whole=False, extra=extra)
