"""Recognise the kind of a file by its content; the name is ignored."""

from __future__ import annotations

import csv
import io
import re
from typing import Literal

from ingest.archive.csv.columns import is_history_header, is_stories_header
from ingest.archive.csv.rows import find_delimiter, is_separator_line
from ingest.archive.errors import FileRefused
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.encodings import text_of
from ingest.archive.json.loader_output import is_loader_table

FileKind = Literal["stories_csv", "history_csv", "json", "sqlite", "unknown"]

_HEAD = 64 * 1024
# An object or a list, possibly after another value in a sequence of documents.
_DOCUMENT = re.compile(r'(?:true|false|null|[-+.\deE]+|"[^"\n]*")?\s*[{\[]')
_BODY = 8 << 20  # if the first line is broken, look at this much of the file
_V3_ROOTS = re.compile(rb"<(iterations?|stories|story|projects?|activit(y|ies)|memberships)[\s>]")


def recognise(file: ArchiveFile) -> FileKind:
    """The kind of a file; `unknown` if it is not Tracker data.

    Raises:
        FileRefused: if its format is known but not supported, or if it is damaged.
    """
    with file.open() as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"SQLite format 3\x00"):
        return "sqlite"
    if is_loader_table(head):
        return "json"
    if head.startswith(b"PK\x03\x04") and file.member:
        raise FileRefused("is a zip inside a zip; unpack the outer one")
    if head.startswith(b"\x1f\x8b"):
        raise FileRefused("is compressed twice; decompress it once")
    text = text_of(head).lstrip("\ufeff \t\r\n")
    if not text:
        raise FileRefused("is empty")
    if text.startswith("<"):
        if _V3_ROOTS.search(head):
            raise FileRefused("is XML of Tracker's retired API v3; only v5 data is read")
        return "unknown"
    if _DOCUMENT.match(text):
        return "json"
    kind = _kind_of_table(text)
    if kind == "unknown" and b"\0" not in head:
        with file.open() as stream:
            return "json" if _are_lines_of_json(stream.read(_BODY)) else kind
    return kind


def _are_lines_of_json(content: bytes) -> bool:
    """Whether at least half of the lines, and at least one, start like an object or a list."""
    lines = [line for each in content.splitlines() if (line := each.strip())]
    return sum(line.startswith((b"{", b"[")) for line in lines) * 2 >= max(len(lines), 2)


def _kind_of_table(text: str) -> FileKind:
    delimiter = find_delimiter(text)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = next((row for row in rows if any(row) and not is_separator_line(row)), [])
    except csv.Error:
        return "unknown"
    if is_history_header(header):
        return "history_csv"
    return "stories_csv" if is_stories_header(header) else "unknown"
