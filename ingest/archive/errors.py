"""The errors of reading archives."""

from __future__ import annotations

from ingest.records import Rejection, RowRefused

__all__ = ["ArchiveError", "FileRefused", "Rejection", "RowRefused"]


class ArchiveError(Exception):
    """Nothing was loaded. The message is one line: which file, why, and how to fix it."""


class FileRefused(Exception):
    """One file cannot be read. The message is the reason, without the file's name."""
