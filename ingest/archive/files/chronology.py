"""Find out when each dump was made, and sort dumps by age, whatever folders they are in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain, groupby, takewhile
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from ingest.archive.errors import FileRefused
from ingest.archive.files.archive_file import ArchiveFile, chunks, sha256_of
from ingest.archive.versions import NEVER
from ingest.records import instant_or_none

_STAMP = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)[-_.]?(?P<month>0[1-9]|1[0-2])[-_.]?(?P<day>[0-3]\d)"
    r"(?:[-_T .]?(?P<hour>[01]\d|2[0-3])[-_.:h]?(?P<minute>[0-5]\d)"
    r"(?:[-_.:]?(?P<second>[0-5]\d))?)?(?!\d)"
)
_INSTANT = re.compile(
    rb'(?:updated|occurred|accepted|created)_at\\?"\s*:\s*\\?"?'
    rb"(\d{4}-\d\d-\d\d[T ][0-9:.]+(?:Z|[+-][0-9:]+)?|\d{12,13}(?!\d))"
)
_OVERLAP = 128

T = TypeVar("T")


class FileTime(NamedTuple):
    """When a file was made.

    Attributes:
        at: the timestamp in its name or its folder's name; else the newest timestamp in the file
            or in the files next to it; `NEVER` if there is none.
        place: its position among the files of the run, sorted from the oldest.
    """

    at: datetime
    place: int


def file_times(files: Sequence[ArchiveFile], zone: ZoneInfo) -> dict[str, FileTime]:
    """When each file was made, by file name.

    Args:
        files: the dumps of one run.
        zone: the time zone of timestamps in names.
    """
    # The name of a folder that contains all files says nothing about their order.
    above = len(_common_folder(files))
    stamps = {each: _stamp(each, above, zone) for each in files}
    if len(files) < 2:
        return {file.name: FileTime(stamp or NEVER, 0) for file, stamp in stamps.items()}
    at = {file: stamp or _newest_inside(file) for file, stamp in stamps.items()}
    newest_by_folder: dict[str, datetime] = {}
    for file, instant in at.items():
        if instant:
            folder = _folder(file)
            newest_by_folder[folder] = max(instant, newest_by_folder.get(folder, instant))
    known = {
        file: instant or newest_by_folder.get(_folder(file), NEVER) for file, instant in at.items()
    }
    ordered = in_order(files, known.__getitem__, lambda each: each)
    return {file.name: FileTime(known[file], place) for place, file in enumerate(ordered)}


def _common_folder(files: Sequence[ArchiveFile]) -> list[str]:
    """The path, in parts, of the deepest folder that contains all files."""
    paths = [file.path.parent.absolute().as_posix().split("/") for file in files]
    return [
        parts[0]
        for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    ]


def in_order(
    items: Sequence[T], age_of: Callable[[T], Any], file_of: Callable[[T], ArchiveFile]
) -> list[T]:
    """Sort items by age, independently of the folders that their files are in.

    Args:
        items: files, or objects made from files.
        age_of: the sort key.
        file_of: the file of an item. Ties are broken by the file's name, its modification time,
            and its content, in this order.
    """

    def key(item: T) -> tuple[Any, str, int]:
        file = file_of(item)
        return age_of(item), file.file_name, int(file.modified_at)

    ties = (list(group) for _, group in groupby(sorted(items, key=key), key))
    return [
        item
        for group in ties
        for item in (sorted(group, key=lambda each: _digest(file_of(each))) if group[1:] else group)
    ]


def _digest(file: ArchiveFile) -> str:
    with suppress(FileRefused):
        return sha256_of(file)
    return ""


def _folder(file: ArchiveFile) -> str:
    return file.name.rpartition("/")[0] or file.zip_name


def _stamp(file: ArchiveFile, above: int, zone: ZoneInfo) -> datetime | None:
    """The timestamp in a file's name, or else in the name of the closest folder or zip.

    Args:
        file: the file.
        above: the number of leading parts of its path to ignore.
        zone: the time zone of the timestamp.
    """
    inner = file.inner_path.split("/")[::-1] if file.member else []
    outer = file.path.absolute().as_posix().split("/")[above:]
    for name in chain(inner, reversed(outer)):
        for found in _STAMP.finditer(name):
            year, month, day, hour, minute, second = (int(each or 0) for each in found.groups())
            with suppress(ValueError):
                stamp = datetime(year, month, day, hour, minute, second, tzinfo=zone)
                return stamp.astimezone(UTC)
    return None


def _newest_inside(file: ArchiveFile) -> datetime | None:
    """The newest creation or modification time of the records in a file."""
    newest: datetime | None = None
    tail = b""
    with suppress(FileRefused), file.open() as stream:
        for chunk in chunks(stream):
            content = tail + chunk
            for text in set(_INSTANT.findall(content)):
                written = text.decode()
                instant = instant_or_none(int(written) if written.isdigit() else written)
                newest = max(filter(None, (newest, instant)), default=None)
            tail = content[-_OVERLAP:]
    return newest
