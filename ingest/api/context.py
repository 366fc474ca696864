"""The objects that all parts of a run over an API share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.records import Record

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient
    from ingest.api.intake import Intake
    from ingest.api.lists.catalogue import ApiOptions
    from ingest.api.lists.listed_keys import ListedKeys
    from ingest.api.lists.skipped_lists import SkippedLists
    from ingest.api.lists.workspace import Workspace
    from ingest.api.progress import ReportProgress
    from ingest.warehouses.stored import Stored


@dataclass(frozen=True)
class ReadContext:
    """The objects for reading a workspace.

    Attributes:
        client: the HTTP client.
        workspace: the projects to read.
        options: what to read.
        stored: the stored rows of the warehouse.
        intake: converts records to rows.
        is_wanted: whether a shaped record of a raw table belongs to the requested projects.
        keys: the keys of the rows that were read in this run.
        skipped_lists: the projects and lists that could not be read.
        progress: called after every page.
    """

    client: TrackerClient
    workspace: Workspace
    options: ApiOptions
    stored: Stored
    intake: Intake
    is_wanted: Callable[[str, Record], bool]
    keys: ListedKeys
    skipped_lists: SkippedLists
    progress: ReportProgress
