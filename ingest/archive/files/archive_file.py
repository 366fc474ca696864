"""Finds the files of an archive: single files, folders, and the members of zips.

Members are read where they are, as streams: nothing is unpacked to disk.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ingest.archive.errors import ArchiveError, FileRefused, Rejection
from ingest.archive.options import ArchiveOptions

_IGNORED = re.compile(r"(^|/)(__MACOSX/|\.[^/]+(/|$)|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_ATTACHMENT = re.compile(r"(?:^|.*/)(?P<story_id>\d{3,18})/(?P<file_name>[^/]+)$")
_GZIP = b"\x1f\x8b"
_SMALL = 1 << 20  # a member of less than this may inflate as it likes
_CHUNK = 1 << 20
_AT_ONCE = 8 << 20  # a member of a zip that is no larger is read at once
# What reading a damaged or truncated zip or gzip may raise, and one that is packed in another way.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    gzip.BadGzipFile,
    NotImplementedError,
    RuntimeError,
)
_MOST_OF_GZIP = 1000  # a gzip that unpacks to more times its size holds nothing that was written


@dataclass(frozen=True)
class ArchiveFile:
    """One file, on disk or inside a zip.

    Attributes:
        path: the file or the zip on disk.
        name: how reports call it: as it was named to the run, `export.zip!member` for a member.
        size: bytes, unpacked.
        member: its name inside the zip; None for a file on disk.
        place: its place among the members, as two of them may have one name.
        modified_at: when it was last written, in seconds since 1970.
    """

    path: Path
    name: str
    size: int
    member: str | None = None
    place: int = 0
    modified_at: float = 0

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
    def is_plain(self) -> bool:
        """Whether its bytes lie on disk as they are, neither in a zip nor in a gzip."""
        if self.member is not None:
            return False
        with self.path.open("rb") as stream:
            return stream.read(2) != _GZIP

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
    def open(self) -> Iterator[IO[bytes]]:
        """Its bytes, unpacked when they are gzipped.

        Raises:
            FileRefused: when they are damaged, wherever that shows.
        """
        try:
            with self._raw() as raw:
                magic = raw.read(len(_GZIP))
                raw.seek(0)
                if magic == _GZIP:
                    with _BoundedGzip(raw, max(_SMALL, self.size * _MOST_OF_GZIP)) as unpacked:
                        yield cast(IO[bytes], unpacked)  # it has all of that protocol
                else:
                    yield raw
        except _DAMAGE as error:
            raise FileRefused(f"is damaged or truncated: {error or 'it ends too early'}") from None
        except OSError as error:
            raise FileRefused(f"cannot be read: {error.strerror or error}") from None

    @contextmanager
    def _raw(self) -> Iterator[IO[bytes]]:
        if self.member is None:
            with self.path.open("rb") as handle:
                yield handle
        else:
            with (
                zipfile.ZipFile(self.path) as package,
                package.open(package.infolist()[self.place]) as handle,
            ):
                if self.size > _AT_ONCE:
                    yield handle
                else:  # in one go some damage of sizes does no harm
                    yield io.BufferedReader(io.BytesIO(handle.read()))


class _BoundedGzip(gzip.GzipFile):
    """A gzip that is refused once it has unpacked to more than a number of bytes."""

    def __init__(self, packed: IO[bytes], most: int) -> None:
        super().__init__(fileobj=packed)
        self._most = most

    def read(self, size: int | None = -1) -> bytes:
        """Read at most as much as is left of what it may unpack to."""
        left = self._most - self.tell() + 1
        content = super().read(left if size is None or size < 0 else min(size, left))
        if self.tell() > self._most:
            raise FileRefused(f"inflates absurdly, to more than {self._most:,} bytes")
        return content

    def read1(self, size: int = -1) -> bytes:
        """The same, for whoever decodes text."""
        return self.read(_CHUNK if size < 0 else size)


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
            # A name that is no UTF-8 shows its bytes as \xff.
            name = os.fsencode(found).decode(errors="backslashreplace")
            try:
                if _is_zip(found):
                    yield from _members(found, name, options, rejections)
                else:
                    stat = found.stat()
                    yield ArchiveFile(found, name, stat.st_size, modified_at=stat.st_mtime)
            except FileRefused as refused:
                rejections.append(Rejection.of_file(name, str(refused)))


def _below(path: Path, rejections: list[Rejection]) -> Iterator[Path]:
    """A file itself, or the files below a folder; links to folders are not followed."""
    if not path.is_dir():
        yield path
        return

    def refuse(error: OSError) -> None:
        reason = f"cannot be read: {error.strerror or error}"
        name = os.fsencode(error.filename).decode(errors="backslashreplace")
        rejections.append(Rejection.of_file(name, reason))

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


def _members(
    path: Path, name: str, options: ArchiveOptions, rejections: list[Rejection]
) -> list[ArchiveFile]:
    """The members of a zip; those that are unsafe are refused."""
    try:
        with zipfile.ZipFile(path) as package:
            infos = package.infolist()
    except (*_DAMAGE, OSError, ValueError, LookupError) as error:
        raise FileRefused(f"is no whole zip ({error}); copy or download it again") from None
    if sum(info.file_size for info in infos) > options.max_unpacked_bytes:
        limit = options.max_unpacked_bytes >> 20
        raise FileRefused(f"would unpack to more than {limit:,} MB; unpack it yourself")
    members = []
    for place, info in sorted(enumerate(infos), key=lambda each: each[1].filename):
        inner = info.filename.replace("\\", "/")
        if inner.endswith("/"):
            continue
        try:
            _check_member(info, options)
        except FileRefused as refused:
            rejections.append(Rejection.of_file(f"{name}!{inner}", str(refused)))
            continue
        if not _IGNORED.search("/" + inner):
            member = f"{name}!{inner}", info.file_size, info.filename, place, _written_at(info)
            members.append(ArchiveFile(path, *member))
    return members


def _written_at(info: zipfile.ZipInfo) -> float:
    try:
        return datetime(*info.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return 0


def _check_member(info: zipfile.ZipInfo, options: ArchiveOptions) -> None:
    if info.flag_bits & 0x1:
        raise FileRefused("is encrypted; unpack it with its password first")
    name = info.orig_filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/"):
        raise FileRefused("has a path that climbs out of the zip")
    too_much = info.file_size > options.max_inflation * max(info.compress_size, 1)
    if too_much and info.file_size > _SMALL:
        raise FileRefused(
            f"inflates absurdly: it has {info.compress_size:,} bytes and would "
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


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a stream, a megabyte at a time."""
    while chunk := stream.read(_CHUNK):
        yield chunk
