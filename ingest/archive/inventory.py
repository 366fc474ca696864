"""The files in the paths of a run, by kind, and their attachments."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from ingest.archive.errors import FileRefused, Rejection
from ingest.archive.files.archive_file import ArchiveFile, find_files, sha256_of
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import SourcedRecord
from ingest.archive.recognition import FileKind, recognise
from ingest.records import Origin, stable_id


class Inventory:
    """The files of one run.

    Attributes:
        attachments: records of `attachments`; filled when `files` is first read.
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
        self.attachments: list[SourcedRecord] = []
        self._paths = paths
        self._options = options
        self._rejections = rejections
        self._notes = notes

    @cached_property
    def files(self) -> dict[FileKind, list[ArchiveFile]]:
        """The files by kind. Also fills `attachments`."""
        found: dict[FileKind, list[ArchiveFile]] = {}
        for file in find_files(self._paths, self._options, self._rejections):
            if file.attached_to:
                self._record_attachment(file)
                continue
            try:
                found.setdefault(recognise(file), []).append(file)
            except FileRefused as refused:
                self.refuse(file, refused)
        for file in found.pop("unknown", []):
            self._notes.append(f"{file.name}: is not an export, dump or backup of Tracker")
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
        self.attachments.append((record, Origin("stories_csv", file.name)))

    def refuse(self, file: ArchiveFile, refused: FileRefused) -> None:
        """Record that a file is refused, and why."""
        self._rejections.append(Rejection.of_file(file.name, str(refused)))
