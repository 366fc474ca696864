"""The files in the paths of a run, by kind, and their attachments."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Literal

from ingest.archive.csv.columns import MOST_HEADER_ROWS, is_history_header, is_stories_header
from ingest.archive.csv.rows import find_delimiter, is_separator_line, unquoted
from ingest.archive.errors import FileRefused, Rejection
from ingest.archive.files.archive_file import DOCUMENT_MARKS, ArchiveFile, find_files, sha256_of
from ingest.archive.files.encodings import text_of
from ingest.archive.json.loader_output import is_loader_table
from ingest.archive.json.values import has_json_in_other_text
from ingest.archive.options import ArchiveOptions
from ingest.records import Origin, Record, stable_id

FileKind = Literal["stories_csv", "history_csv", "json", "sqlite", "unknown"]

_HEAD = 64 * 1024
_HEAD_OF_ZIP = 60  # has the name of its first member
_PACKED = {
    b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!": "RAR",
}  # fmt: skip
_TAR_MARK = slice(257, 262)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
# An object or a list, possibly after another value in a sequence of documents, or inside a text.
_DOCUMENT = re.compile(
    r'(?:true|false|null|[-+.\deE]+|"[^"\n]*")?\s*[{\[]'
    r'|"(?:\s|\\+[nrt"])*[{\[](?:[{\[\s]|\\+[nrt])*\\+"'
)
_BODY = 8 << 20  # if the first line is broken, look at this much of the file
_V3_ROOTS = re.compile(rb"<(iterations?|stories|story|projects?|activit(y|ies)|memberships)[\s>]")


class Inventory:
    """The files of one run.

    Attributes:
        attachments: records of `attachments`, each with the name of its zip; filled when `files` is
            first read.
    """

    def __init__(
        self,
        paths: list[Path],
        options: ArchiveOptions,
        rejections: list[Rejection],
        notes: list[str],
    ) -> None:
        """Prepare to list files; no file is opened yet.

        Args:
            paths: files, zips and folders, mixed.
            options: limits for zips.
            rejections: receives the refused files.
            notes: receives one sentence for each file that is not Tracker data.
        """
        self.attachments: list[tuple[Record, Origin, str]] = []
        self._paths = paths
        self._options = options
        self._rejections = rejections
        self._notes = notes

    @cached_property
    def files(self) -> dict[FileKind, list[ArchiveFile]]:
        """The files by kind. Also fills `attachments`."""
        found: dict[FileKind, list[ArchiveFile]] = {}
        for file in find_files(self._paths, self._options, self._rejections):
            try:
                is_certain = file.attached_to and (file.is_in_export or not file.size)
                kind = "unknown" if is_certain else _recognised(file)
            except FileRefused as refused:
                self.refuse(file, refused)
                continue
            if kind == "unknown" and file.attached_to:
                self._record_attachment(file)
            else:
                found.setdefault(kind, []).append(file)
        for file in found.pop("unknown", []):
            self._notes.append(f"{file.name}: {_reason_unknown(file)}")
        return found

    def _record_attachment(self, file: ArchiveFile) -> None:
        """Record an attachment with the hash of its content; the content itself is not stored."""
        story_id, file_name = file.attached_to or (0, "")
        try:
            digest = sha256_of(file)
        except FileRefused as refused:
            self.refuse(file, refused)
            return
        record = {
            "attachment_id": str(-stable_id("attachment", story_id, file_name, file.member)),
            "story_id": story_id,
            "file_name": file_name,
            "path": file.inner_path,
            "sha256": digest,
            "bytes": file.size,
        }
        self.attachments.append((record, Origin("stories_csv", file.name), file.zip_name))

    def refuse(self, file: ArchiveFile, refused: FileRefused) -> None:
        """Record that a file is refused, and why."""
        self._rejections.append(Rejection.of_file(file.name, str(refused)))


def _recognised(file: ArchiveFile) -> FileKind:
    """The kind of a file by its content, whatever its name; `unknown` if it is not Tracker data.

    Raises:
        FileRefused: if its format is known but not supported, or if it is damaged.
    """
    with file.open() as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"SQLite format 3\x00"):
        return "sqlite"
    if is_loader_table(head):
        return "json"
    is_document = any(mark.encode() in head[:_HEAD_OF_ZIP] for mark in DOCUMENT_MARKS)
    if head.startswith(b"PK\x03\x04") and not (file.is_plain or is_document):
        raise FileRefused("is a zip inside other zips or a gzip; unpack the outer one")
    if head.startswith(b"\x1f\x8b"):
        raise FileRefused("is compressed twice; decompress it once")
    if head.startswith((b"PK", _OLD_OFFICE, *_PACKED)) or head[_TAR_MARK] == b"ustar":
        return "unknown"
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
    if kind == "unknown":
        with file.open() as stream:
            has_lines = _are_lines_of_json(stream.read(_BODY))
        is_text = "\0" not in text
        return "json" if has_lines or (is_text and has_json_in_other_text(file)) else kind
    return kind


def _reason_unknown(file: ArchiveFile) -> str:
    """Why a file of unknown kind cannot be read, and what to do if it has Tracker data."""
    with file.open() as stream:
        head = stream.read(_TAR_MARK.stop)
    if head[_TAR_MARK] == b"ustar":
        return "is a tar file; unpack it first"
    if head.startswith((b"PK", _OLD_OFFICE)):
        return "is an office document; save its sheets as CSV files"
    packed = next((name for mark, name in _PACKED.items() if head.startswith(mark)), None)
    if packed:
        return f"is compressed with {packed}; unpack it first"
    if not file.member and zipfile.is_zipfile(file.path):
        return "has other data before a zip; unpack it first"
    return "is not an export, dump or backup of Tracker"


def _are_lines_of_json(content: bytes) -> bool:
    """Whether at least half of the lines, and at least one, start like an object or a list."""
    lines = [line for each in content.splitlines() if (line := each.strip())]
    return sum(line.startswith((b"{", b"[")) for line in lines) * 2 >= max(len(lines), 2)


def _kind_of_table(text: str) -> FileKind:
    delimiter = find_delimiter(text)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        cells = (unquoted(row, delimiter) for row in rows)
        filled = (row for row in cells if any(row) and not is_separator_line(row))
        headers = list(islice(filled, MOST_HEADER_ROWS))
    except csv.Error:
        return "unknown"
    if headers and is_history_header(headers[0]):
        return "history_csv"
    return "stories_csv" if any(map(is_stories_header, headers)) else "unknown"
