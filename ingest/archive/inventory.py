"""What there is below the paths of a run: files by kind, and attachments."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path

from ingest.archive.errors import FileRefused, Rejection
from ingest.archive.files.archive_file import ArchiveFile, chunks, find_files
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import Told
from ingest.archive.project.people import stable_id
from ingest.archive.recognition import FileKind, recognise
from ingest.records import Origin


class Inventory:
    """The files of one run.

    Attributes:
        attachments: records of `attachments`, known once the files have been looked at.
    """

    def __init__(
        self,
        paths: list[Path],
        options: ArchiveOptions,
        rejections: list[Rejection],
        notes: list[str],
    ) -> None:
        """Prepare to look; no file is opened yet.

        Args:
            paths: files, zips and folders, mixed.
            options: limits for zips.
            rejections: receives what is refused.
            notes: receives what is nothing of Tracker's, one sentence each.
        """
        self.attachments: list[Told] = []
        self._paths = paths
        self._options = options
        self._rejections = rejections
        self._notes = notes

    @cached_property
    def files(self) -> dict[FileKind, list[ArchiveFile]]:
        """The files by kind; attachments are catalogued on the way."""
        found: dict[FileKind, list[ArchiveFile]] = {}
        for file in find_files(self._paths, self._options, self._rejections):
            if file.attached_to:
                self._attach(file)
                continue
            try:
                found.setdefault(recognise(file), []).append(file)
            except FileRefused as refused:
                self.refuse(file, refused)
        for file in found.pop("unknown", []):
            self._notes.append(f"{file.name}: is no export, dump or backup of Tracker")
        return found

    def _attach(self, file: ArchiveFile) -> None:
        """Catalogue an attachment: its content is looked at for its hash, and not kept."""
        story_id, file_name = file.attached_to or (0, "")
        digest = sha256()
        try:
            with file.open() as stream:
                for chunk in chunks(stream):
                    digest.update(chunk)
        except FileRefused as refused:
            self.refuse(file, refused)
            return
        record = {
            "attachment_id": str(-stable_id("attachment", story_id, file_name, file.member)),
            "story_id": story_id,
            "file_name": file_name,
            "path": file.inner_path,
            "sha256": digest.hexdigest(),
            "bytes": file.size,
        }
        self.attachments.append((record, Origin("stories_csv", file.name)))

    def refuse(self, file: ArchiveFile, refused: FileRefused) -> None:
        """Note that a file is not read, and why."""
        self._rejections.append(Rejection.of_file(file.name, str(refused)))
