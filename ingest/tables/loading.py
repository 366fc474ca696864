"""Tables about loading itself: runs, and the files, attachments and refused rows of archives."""

from __future__ import annotations

from ingest.tables.table import Table

EXTRACTS = Table(
    name="extracts",
    description="One row per ingestion run: what was read, from where, and as of which time.",
    key=("extract_id",),
    columns={
        "extract_id": "text",
        "source_kind": "text",  # api, demo or archive
        "source_name": "text",  # base URL, or the path of an archive
        "extract_mode": "text",  # full or incremental
        "project_ids": "json",
        "requests_count": "bigint",
        "records_count": "bigint",
        "records_by_table": "json",
        "skipped": "json",  # what could not be read, and why
        "as_of": "timestamp",
        "started_at": "timestamp",
        "ended_at": "timestamp",
    },
)

ARCHIVE_FILES = Table(
    name="archive_files",
    description="One row per archive file that was read: its kind, and how many rows were read.",
    key=("file",),
    columns={
        "file": "text",
        "file_kind": "text",  # stories_csv, history_csv, json, sqlite
        "encoding": "text",
        "project_id": "bigint",
        "rows_count": "bigint",
        "rejected_count": "bigint",
        "bytes": "bigint",
        "is_whole": "bool",  # no row was refused, so a story that is missing was not in the export
        "projects_read": "json",  # recorded API responses: project_id and as_of of each read
        "as_of": "timestamp",
    },
)

REJECTED_ROWS = Table(
    name="rejected_rows",
    description="One row per record or file that was not loaded, and why.",
    key=("rejection_id",),
    columns={
        "rejection_id": "text",
        "file": "text",  # null for API responses
        "line": "bigint",  # null for a whole file, or a file without lines
        "column_name": "text",
        "value": "text",  # its first 200 characters
        "reason": "text",
        "as_of": "timestamp",
        "table_name": "text",  # the raw table of the record, if known
        "request": "text",  # method and path of the API request; null for files
        "record_number": "bigint",  # the record's position in its list, from 1
    },
)

ATTACHMENTS = Table(
    name="attachments",
    description="One row per file attached to a story in an export zip or backup, without content.",
    key=("attachment_id",),
    columns={
        "attachment_id": "text",
        "project_id": "bigint",
        "story_id": "bigint",
        "comment_id": "bigint",
        "file_name": "text",
        "path": "text",  # inside the zip
        "content_type": "text",
        "sha256": "text",
        "bytes": "bigint",
        "created_at": "timestamp",
    },
)
