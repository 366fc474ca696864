"""What loading itself leaves behind: runs, and an archive's files, attachments, refusals."""

from __future__ import annotations

from ingest.tables.table import Table

EXTRACTS = Table(
    name="extracts",
    description="One row per run of ingestion: what was read, from where, as of when.",
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
    description="One row per file of an archive that was read: what it is, and what became of it.",
    key=("file",),
    columns={
        "file": "text",
        "file_kind": "text",  # stories_csv, history_csv, json, sqlite
        "encoding": "text",
        "project_id": "bigint",
        "rows_count": "bigint",
        "rejected_count": "bigint",
        "bytes": "bigint",
        "is_whole": "bool",  # nothing was rejected, so that what it lacks was not there
        "projects_read": "json",  # recorded API answers: project_id and as_of of each reading
        "as_of": "timestamp",
    },
)

REJECTED_ROWS = Table(
    name="rejected_rows",
    description="One row per record or file that was not loaded, and why.",
    key=("rejection_id",),
    columns={
        "rejection_id": "text",
        "file": "text",  # null: an answer of the API
        "line": "bigint",  # null: the whole file, or a file without lines
        "column_name": "text",
        "value": "text",  # at most 200 characters of it
        "reason": "text",
        "as_of": "timestamp",
        "table_name": "text",  # the raw table that the record was meant for, where that is known
        "request": "text",  # method and path of the answer that held it; null for files
        "record_number": "bigint",  # its place in that answer, from 1
    },
)

ATTACHMENTS = Table(
    name="attachments",
    description="One row per file attached to a story in an export zip or a backup: no content.",
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
