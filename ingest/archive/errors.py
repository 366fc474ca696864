"""What an archive can be refused for."""

from __future__ import annotations

from ingest.records import Rejection, RowRefused

__all__ = ["ArchiveError", "FileRefused", "Rejection", "RowRefused"]


class ArchiveError(Exception):
    """Nothing was loaded; the message is one line that says which file, why, and the way out."""


class FileRefused(Exception):
    """One file cannot be read; the message is the reason, without the file's name."""
