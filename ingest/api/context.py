"""What all parts of one run over an API share."""

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
    from ingest.api.lists.refusals import Refusals
    from ingest.api.lists.workspace import Workspace
    from ingest.api.progress import ReportProgress
    from ingest.warehouses.stored import Stored


@dataclass(frozen=True)
class ReadContext:
    """What reading a workspace rests on.

    Attributes:
        client: the session.
        workspace: the projects to read.
        options: what is read beyond the usual.
        stored: what the warehouse has already.
        intake: makes records into rows.
        is_wanted: whether a shaped record of a raw table was asked for.
        keys: which rows were read in this run.
        refusals: what could not be read.
        progress: hears of every page.
    """

    client: TrackerClient
    workspace: Workspace
    options: ApiOptions
    stored: Stored
    intake: Intake
    is_wanted: Callable[[str, Record], bool]
    keys: ListedKeys
    refusals: Refusals
    progress: ReportProgress
