"""Find the files of an archive: single files, folders, and the members of zips.

Members are read as streams. Only a zip inside a zip is unpacked, to a temporary file.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ingest.archive.errors import ArchiveError, FileRefused, Rejection
from ingest.archive.options import ArchiveOptions

_IGNORED = re.compile(
    r"(^|/)(__MACOSX/|\.[^/]+(/|$)|Thumbs\.db$|desktop\.ini$|[^/]+-(wal|shm)$)", re.IGNORECASE
)
_ATTACHMENT = re.compile(r"(?:^|.*/)(?P<story_id>\d{3,18})/(?P<file_name>[^/]+)$")
_GZIP = b"\x1f\x8b"
_UNCHECKED_SIZE = 1 << 20  # below this size the compression ratio is not checked
_CHUNK = 1 << 20
DOCUMENT_MARKS = {"[Content_Types].xml", "mimetype"}  # zips with these are office documents
_READ_WHOLE_SIZE = 8 << 20  # zip members up to this size are read in one call
# Errors of reading a damaged or truncated zip or gzip, or one with an unsupported compression.
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
_MAX_GZIP_RATIO = 1000  # a gzip with a higher compression ratio does not contain real data


@dataclass(frozen=True)
class ArchiveFile:
    """One file, on disk or inside a zip.

    Attributes:
        path: the file or the zip on disk.
        name: its name in messages: the path as given to the run, `export.zip!member` for a member.
        size: size in bytes: of a zip member when unpacked, of a gzip file as it is on disk.
        member: its name inside the zip; None for a file on disk.
        place: its index among the members, because two members can have the same name.
        modified_at: time of the last modification, in seconds since 1970.
        package: the zip inside a zip that contains it; None if it is not in such a zip.
        folder: the path of this zip inside the outer one, with a slash at its end.
        is_in_export: whether it is in a folder beside a CSV file, as attachments in an export zip.
    """

    path: Path
    name: str
    size: int
    member: str | None = None
    place: int = 0
    modified_at: float = 0
    package: IO[bytes] | None = field(default=None, compare=False)
    folder: str = ""
    is_in_export: bool = False

    @property
    def inner_path(self) -> str:
        """Its path inside the zip; the backslashes of some Windows programs become slashes."""
        return self.folder + (self.member or "").replace("\\", "/")

    @property
    def file_name(self) -> str:
        """The last part of its name."""
        return PurePosixPath(self.inner_path or self.path.as_posix()).name

    @property
    def zip_name(self) -> str:
        """The name of the zip that contains it; its own name if there is none."""
        return self.name[: -len(self.member) - 1] if self.member else self.name

    @property
    def folder_name(self) -> str:
        """The name of the folder that contains it, or of the zip, without the extension."""
        inner = PurePosixPath(self.inner_path).parent.name.removesuffix(".zip")
        outer = self.path.stem if self.member else self.path.resolve().parent.name
        return inner or outer

    @property
    def is_plain(self) -> bool:
        """Whether it is uncompressed on disk, neither in a zip nor a gzip."""
        if self.member is not None:
            return False
        with self.path.open("rb") as stream:
            return stream.read(2) != _GZIP

    @property
    def has_pattern_path(self) -> bool:
        """Whether DuckDB would treat its path as a glob pattern."""
        return any(each in self.path.as_posix() for each in "*?[{")

    @property
    def attached_to(self) -> tuple[int, str] | None:
        """The story id and file name, if this may be an attachment, by its folder in a zip."""
        found = _ATTACHMENT.match(self.inner_path)
        return (int(found["story_id"]), found["file_name"]) if found else None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open it for reading bytes, decompressing gzip.

        Raises:
            FileRefused: if it is damaged, including damage found later while reading.
        """
        try:
            with self._raw() as raw:
                magic = raw.read(len(_GZIP))
                raw.seek(0)
                if magic == _GZIP:
                    with _BoundedGzip(
                        raw, max(_UNCHECKED_SIZE, self.size * _MAX_GZIP_RATIO)
                    ) as unpacked:
                        yield cast(IO[bytes], unpacked)  # it implements the whole protocol
                else:
                    yield raw
        except _DAMAGE as error:
            if str(error).startswith("Not a gzipped file"):  # only its first bytes were checked
                reason = "has other data after the end of its gzip; unpack it with gunzip first"
                raise FileRefused(reason) from None
            raise FileRefused(f"is damaged or truncated: {error or 'unexpected end'}") from None
        except OSError as error:
            raise FileRefused(f"cannot be read: {error.strerror or error}") from None

    @contextmanager
    def _raw(self) -> Iterator[IO[bytes]]:
        if self.member is None:
            with self.path.open("rb") as handle:
                yield handle
        else:
            with (
                zipfile.ZipFile(self.package or self.path) as package,
                package.open(package.infolist()[self.place]) as handle,
            ):
                if self.size > _READ_WHOLE_SIZE:
                    yield handle
                else:  # a single read tolerates some wrong sizes in the zip's headers
                    yield io.BufferedReader(io.BytesIO(handle.read()))


class _BoundedGzip(gzip.GzipFile):
    """A gzip file that is refused once it has decompressed to more than `most` bytes."""

    def __init__(self, packed: IO[bytes], most: int) -> None:
        super().__init__(fileobj=packed)
        self._most = most

    def read(self, size: int | None = -1) -> bytes:
        """Read at most up to the limit."""
        left = self._most - self.tell() + 1
        content = super().read(left if size is None or size < 0 else min(size, left))
        if self.tell() > self._most:
            raise FileRefused(
                f"decompresses to an implausible size, more than {self._most:,} bytes"
            )
        return content

    def read1(self, size: int = -1) -> bytes:
        """Read a chunk; text decoders call this method."""
        return self.read(_CHUNK if size < 0 else size)


def find_files(
    paths: list[Path], options: ArchiveOptions, rejections: list[Rejection]
) -> Iterator[ArchiveFile]:
    """Find all files in the given paths, including those in folders and zips, sorted by name.

    Args:
        paths: files, zips and folders, mixed.
        options: limits for zips.
        rejections: receives the files that are refused.

    Raises:
        ArchiveError: if a path does not exist.
    """
    for path in dict.fromkeys(paths):
        if not path.exists():
            raise ArchiveError(f"{path}: no such file or folder; check the path")
        if not (path.is_file() or path.is_dir()):
            raise ArchiveError(f"{path}: is neither a file nor a folder")
        for found in _below(path, rejections):
            # In a file name that is not UTF-8, invalid bytes are shown as \xff.
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
    """The file itself, or all files in a folder; symbolic links to folders are not followed."""
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
    path: Path,
    name: str,
    options: ArchiveOptions,
    rejections: list[Rejection],
    outer: ArchiveFile | None = None,
) -> list[ArchiveFile]:
    """The safe members of a zip; the others are refused. An office document stays one file.

    Args:
        path: the zip on disk.
        name: the name of the zip in messages.
        options: limits.
        rejections: receives the members that are refused.
        outer: the zip as a member of the one on disk; None if it is that one itself.
    """
    inner_zip = seekable(outer) if outer else None
    try:
        with zipfile.ZipFile(inner_zip or path) as package:
            infos = package.infolist()
    except (*_DAMAGE, OSError, ValueError, LookupError) as error:
        raise FileRefused(f"is a damaged zip ({error}); copy or download it again") from None
    if DOCUMENT_MARKS & {info.filename for info in infos}:
        if outer:
            return [outer]
        stat = path.stat()
        return [ArchiveFile(path, name, stat.st_size, modified_at=stat.st_mtime)]
    if sum(info.file_size for info in infos) > options.max_unpacked_bytes:
        limit = options.max_unpacked_bytes >> 20
        raise FileRefused(f"would unpack to more than {limit:,} MB; unpack it yourself")
    names = [PurePosixPath(info.filename.replace("\\", "/")) for info in infos]
    exports = {each.parent for each in names if each.suffix.lower() == ".csv"}
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
        if _IGNORED.search("/" + inner):
            continue
        member = f"{name}!{inner}", info.file_size, info.filename, place, _written_at(info)
        folder = f"{outer.inner_path}/" if outer else ""
        is_in_export = names[place].parent.parent in exports
        file = ArchiveFile(path, *member, inner_zip, folder, is_in_export)
        is_attached = is_in_export and file.attached_to
        if outer or not inner.lower().endswith(".zip") or is_attached:
            members.append(file)
            continue
        try:
            members += _members(path, file.name, options, rejections, file)
        except FileRefused as refused:
            rejections.append(Rejection.of_file(file.name, str(refused)))
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
        raise FileRefused("has a path that leads outside the zip")
    too_much = info.file_size > options.max_inflation * max(info.compress_size, 1)
    if too_much and info.file_size > _UNCHECKED_SIZE:
        raise FileRefused(
            f"decompresses to an implausible size: from {info.compress_size:,} to "
            f"{info.file_size:,} bytes"
        )


def seekable(file: ArchiveFile) -> IO[bytes]:
    """The content as a stream to read at any place, which is closed with its last reference.

    What is in a zip or gzip is copied to a temporary file.

    Raises:
        FileRefused: if it is damaged.
    """
    with file.open() as packed:
        if file.is_plain:
            return file.path.open("rb")
        stream = tempfile.TemporaryFile()  # noqa: SIM115 - the caller reads from it
        shutil.copyfileobj(packed, stream, _CHUNK)
    return cast(IO[bytes], stream)


def read_whole(file: ArchiveFile, limit: int) -> bytes:
    """Read a whole file into memory.

    Raises:
        FileRefused: if it is damaged, or larger than `limit` bytes.
    """
    with file.open() as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise FileRefused(f"unpacks to more than {limit >> 20:,} MB")
    return content


def sha256_of(file: ArchiveFile) -> str:
    """The SHA-256 hash of a file's content, in hexadecimal.

    Raises:
        FileRefused: if the file is damaged.
    """
    with file.open() as stream:
        return file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type] # has readinto


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Read a stream in chunks of a megabyte."""
    while chunk := stream.read(_CHUNK):
        yield chunk
