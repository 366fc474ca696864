"""Parse the name of an export file: the project's slug and the time of the export."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ingest.archive.files.archive_file import ArchiveFile

_STAMPED = re.compile(
    r"(?P<slug>.+?)_(?P<day>\d{8})_(?P<time>\d{6}|\d{4})(?:[ ._(-].*)?", re.IGNORECASE
)
_GENERIC = re.compile(
    r"(\d+[ _-]?)?(stories?|export|csv|data|tracker|pivotal[ _-]?tracker|backlog|"
    r"project|project[ _-]history|history)( ?\(\d+\))?",
    re.IGNORECASE,
)
_HISTORY = re.compile(r"project[ _-]history[ _-]?", re.IGNORECASE)


@dataclass(frozen=True)
class ExportName:
    """A parsed file name.

    Attributes:
        slug: the project's name as spelt in file names.
        made_at: when the export was made; None if the name does not say.
    """

    slug: str
    made_at: datetime | None


def read_name(file: ArchiveFile, zone: ZoneInfo) -> ExportName:
    """Parse `<slug>_<YYYYMMDD>_<HHMM[SS]>.csv`, or whatever the file was renamed to.

    If the name is generic (`stories.csv`), use the name of its folder or zip.
    """
    slug, made_at = _parts(file.file_name.rpartition(".")[0] or file.file_name, zone)
    if _GENERIC.fullmatch(slug) or not slug:
        outer, outer_made_at = _parts(file.folder_name, zone)
        slug, made_at = outer or slug, made_at or outer_made_at
    return ExportName(slug, made_at)


def _parts(stem: str, zone: ZoneInfo) -> tuple[str, datetime | None]:
    found = _STAMPED.fullmatch(stem)
    slug = found["slug"] if found else stem
    slug = _HISTORY.sub("", slug, count=1) if _HISTORY.match(slug) else slug
    return slug, _instant(found["day"] + found["time"], zone) if found else None


def _instant(digits: str, zone: ZoneInfo) -> datetime | None:
    pattern = "%Y%m%d%H%M%S" if len(digits) == 14 else "%Y%m%d%H%M"
    try:
        return datetime.strptime(digits, pattern).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
