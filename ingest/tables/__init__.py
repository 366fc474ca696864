"""The raw contract: every raw table, declared once.

An API answer leaves out what is empty, so a schema inferred from data would make columns come and
go. Columns are therefore declared here, under Tracker's own names. Lists and objects inside a
record stay with it as JSON text, so that a record and its lists are replaced together.

Every table also has the columns of `ROW_COLUMNS`.
"""

from __future__ import annotations

from ingest.tables.activity import ACTIVITY, MY_ACTIVITY
from ingest.tables.iterations import CYCLE_TIME_DETAILS, HISTORY_DAYS, ITERATIONS
from ingest.tables.loading import ARCHIVE_FILES, ATTACHMENTS, EXTRACTS, REJECTED_ROWS
from ingest.tables.stories import EPICS, LABELS, RELEASES, STORIES, STORY_TRANSITIONS
from ingest.tables.table import ARROW_TYPES, ROW_COLUMNS, ColumnType, Table
from ingest.tables.workspace import ACCOUNTS, ME, MEMBERSHIPS, NOTIFICATIONS, PEOPLE, PROJECTS

__all__ = ["ARROW_TYPES", "ROW_COLUMNS", "TABLES", "ColumnType", "Table"]

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        PROJECTS,
        ME,
        ACCOUNTS,
        MEMBERSHIPS,
        LABELS,
        EPICS,
        STORIES,
        RELEASES,
        ITERATIONS,
        ACTIVITY,
        MY_ACTIVITY,
        STORY_TRANSITIONS,
        NOTIFICATIONS,
        HISTORY_DAYS,
        CYCLE_TIME_DETAILS,
        PEOPLE,
        ATTACHMENTS,
        REJECTED_ROWS,
        ARCHIVE_FILES,
        EXTRACTS,
    )
}
