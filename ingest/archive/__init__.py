"""Reader 2: saved Tracker data, such as CSV exports, export zips, JSON dumps and backups."""

from ingest.archive.errors import ArchiveError
from ingest.archive.options import ArchiveOptions
from ingest.archive.reader import ArchiveReader

__all__ = ["ArchiveError", "ArchiveOptions", "ArchiveReader"]
