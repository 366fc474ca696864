"""Finds the files of an archive: single files, folders, and the members of zips.

Members are read where they are, as streams: nothing is unpacked to disk.
"""

from __future__ import annotations

import gzip
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ingest.archive.errors import ArchiveError, FileRefused, Rejection
from ingest.archive.options import ArchiveOptions

_IGNORED = re.compile(r"(^|/)(__MACOSX/|\.[^/]+(/|$)|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_ATTACHMENT = re.compile(r"(?:^|.*/)(?P<story_id>\d{3,18})/(?P<file_name>[^/]+)$")
_SMALL = 1 << 20  # a member of less than this may inflate as it likes
_CHUNK = 1 << 20
# What reading a damaged or truncated zip or gzip may raise.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, NotImplementedError)


@dataclass(frozen=True)
class ArchiveFile:
    """One file, on disk or inside a zip.

    Attributes:
        path: the file or the zip on disk.
        name: how reports call it: as it was named to the run, `export.zip!member` for a member.
        size: bytes, unpacked.
        member: its name inside the zip; None for a file on disk.
    """

    path: Path
    name: str
    size: int
    member: str | None = None

    @property
    def inner_path(self) -> str:
        """Its path inside the zip, with the slashes that some programs of Windows turn round."""
        return (self.member or "").replace("\\", "/")

    @property
    def file_name(self) -> str:
        """The last part of its name."""
        return PurePosixPath(self.inner_path or self.path.as_posix()).name

    @property
    def zip_name(self) -> str:
        """The name of the zip that it is in; its own when it is in none."""
        return self.name.partition("!")[0] if self.member else self.name

    @property
    def folder_name(self) -> str:
        """The name of what it lies in: a folder, or a zip without its ending."""
        inner = PurePosixPath(self.inner_path).parent.name
        outer = self.path.stem if self.member else self.path.resolve().parent.name
        return inner or outer

    @property
    def has_pattern_path(self) -> bool:
        """Whether DuckDB would take its path for a pattern, which may match other files."""
        return any(each in self.path.as_posix() for each in "*?[{")

    @property
    def attached_to(self) -> tuple[int, str] | None:
        """The story and the file name, when this is a member of an export's attachment folder."""
        found = _ATTACHMENT.match(self.inner_path)
        return (int(found["story_id"]), found["file_name"]) if found else None

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its bytes, unpacked when they are gzipped.

        Raises:
            FileRefused: when they are damaged, wherever that shows.
        """
        try:
            with self._raw() as raw:
                if raw.peek(2)[:2] == b"\x1f\x8b":
                    with gzip.GzipFile(fileobj=raw) as unpacked:
                        yield unpacked
                else:
                    yield raw
        except _DAMAGE as error:
            raise FileRefused(f"is damaged or truncated: {error or 'it ends too early'}") from None
        except OSError as error:
            raise FileRefused(f"cannot be read: {error.strerror or error}") from None

    @contextmanager
    def _raw(self) -> Iterator[BinaryIO]:
        if self.member is None:
            with self.path.open("rb") as handle:
                yield handle
        else:
            with zipfile.ZipFile(self.path) as package, package.open(self.member) as handle:
                yield handle


def find_files(
    paths: list[Path], options: ArchiveOptions, rejections: list[Rejection]
) -> Iterator[ArchiveFile]:
    """All files below the given paths, folders and zips walked, in the order of their names.

    Args:
        paths: files, zips and folders, mixed.
        options: limits for zips.
        rejections: receives the zips that are refused.

    Raises:
        ArchiveError: when a path does not exist.
    """
    for path in dict.fromkeys(paths):
        if not path.exists():
            raise ArchiveError(f"{path}: there is no such file or folder; correct the path")
        if not (path.is_file() or path.is_dir()):
            raise ArchiveError(f"{path}: is neither a file nor a folder; name one")
        for found in _below(path, rejections):
            name = found.as_posix()
            try:
                if _is_zip(found):
                    yield from _members(found, name, options)
                else:
                    yield ArchiveFile(found, name, found.stat().st_size)
            except FileRefused as refused:
                rejections.append(Rejection(name, None, None, None, str(refused)))


def _below(path: Path, rejections: list[Rejection]) -> Iterator[Path]:
    """A file itself, or the files below a folder; links to folders are not followed."""
    if not path.is_dir():
        yield path
        return

    def refuse(error: OSError) -> None:
        reason = f"cannot be read: {error.strerror or error}"
        rejections.append(Rejection(Path(error.filename).as_posix(), None, None, None, reason))

    walked = os.walk(path, onerror=refuse)
    for found in sorted(Path(folder, name) for folder, _, names in walked for name in names):
        if found.is_file() and not _IGNORED.search("/" + found.relative_to(path).as_posix()):
            yield found


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            magic = handle.read(4)
    except OSError as error:
        raise FileRefused(f"cannot be read: {error.strerror}") from None
    return magic in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def _members(path: Path, name: str, options: ArchiveOptions) -> list[ArchiveFile]:
    """The members of a zip, all checked before one is read."""
    try:
        with zipfile.ZipFile(path) as package:
            infos = [each for each in package.infolist() if not each.is_dir()]
    except _DAMAGE as error:
        raise FileRefused(f"is no whole zip ({error}); copy or download it again") from None
    for info in infos:
        _check_member(info, options)
    if sum(info.file_size for info in infos) > options.max_unpacked_bytes:
        limit = options.max_unpacked_bytes >> 20
        raise FileRefused(f"would unpack to more than {limit:,} MB; unpack it yourself")
    return [
        ArchiveFile(path, f"{name}!{info.filename}", info.file_size, info.filename)
        for info in sorted(infos, key=lambda each: each.filename)
        if not _IGNORED.search("/" + info.filename.replace("\\", "/"))
    ]


def _check_member(info: zipfile.ZipInfo, options: ArchiveOptions) -> None:
    if info.flag_bits & 0x1:
        raise FileRefused("is encrypted; unpack it with its password first")
    name = info.orig_filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/"):
        raise FileRefused(f"has a member whose path climbs out of it: {info.orig_filename!r}")
    too_much = info.file_size > options.max_inflation * max(info.compress_size, 1)
    if too_much and info.file_size > _SMALL:
        raise FileRefused(
            f"inflates absurdly: {info.filename!r} has {info.compress_size:,} bytes and would "
            f"have {info.file_size:,}"
        )


def read_whole(file: ArchiveFile, limit: int) -> bytes:
    """The bytes of a file that is read at once.

    Raises:
        FileRefused: when it is damaged, or larger than `limit` bytes.
    """
    with file.open() as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise FileRefused(f"unpacks to more than {limit >> 20:,} MB")
    return content


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a stream, a megabyte at a time."""
    while chunk := stream.read(_CHUNK):
        yield chunk
