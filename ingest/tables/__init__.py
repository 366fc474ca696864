"""The schema of every raw table.

API responses omit empty fields, so columns inferred from the data would vary from run to run.
Columns are therefore declared here, under Tracker's own names. Lists and objects inside a record
are stored with it as JSON text, so that a record and its lists are replaced together.

Every table also has the columns in `ROW_COLUMNS`.
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
        PROJECTS, ME, ACCOUNTS, MEMBERSHIPS, LABELS, EPICS, STORIES, RELEASES, ITERATIONS, ACTIVITY,
        MY_ACTIVITY, STORY_TRANSITIONS, NOTIFICATIONS, HISTORY_DAYS, CYCLE_TIME_DETAILS, PEOPLE,
        ATTACHMENTS, REJECTED_ROWS, ARCHIVE_FILES, EXTRACTS,
    )
}  # fmt: skip
