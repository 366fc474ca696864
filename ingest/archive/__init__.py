"""Reader 2: what people kept: CSV exports, export zips, JSON dumps, backups."""

from ingest.archive.errors import ArchiveError
from ingest.archive.options import ArchiveOptions
from ingest.archive.reader import ArchiveReader

__all__ = ["ArchiveError", "ArchiveOptions", "ArchiveReader"]
